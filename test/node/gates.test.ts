/** What `npm run lint` asks of documents and of packages, where it is our own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { refusedLicences } from "../../scripts/licences.js";
import { brokenLinks } from "../../scripts/links.js";

test("links to files and headings that aren't there are told, and no others", () => {
  const folder = mkdtempSync(join(tmpdir(), "gpugrad-links-"));
  try {
    mkdirSync(join(folder, "docs"));
    writeFileSync(join(folder, "docs/other.md"), "# How `x` is 1, 2\n\n# Twice\n\n# Twice\n");
    writeFileSync(
      join(folder, "here.md"),
      [
        "[a](docs/other.md) [b](docs/other.md#how-x-is-1-2) [c](#below) [d](docs/other.md#twice-1) [e](https://a.example/b#c)",
        "[f](docs/none.md) [g](docs/other.md#twice-2) [h](#above) [i](../outside.md) [j][named] [k][unnamed]",
        "`[l](none.md)`",
        "```\n[m](none.md)\n```",
        "## Below",
        "[named]: docs/none.txt",
      ].join("\n\n"),
    );
    expect(brokenLinks(["here.md", "docs/other.md"], folder)).toEqual([
      "here.md: docs/none.md isn't there",
      "here.md: docs/other.md#twice-2 isn't there",
      "here.md: #above isn't there",
      "here.md: ../outside.md isn't there",
      "here.md: docs/none.txt isn't there",
      "here.md: [unnamed] has no address",
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a licence that isn't known is told, and whatever the library itself would need", () => {
  const packages = {
    "": { license: "MIT", dependencies: { heavy: "^1.0.0" } },
    "node_modules/free": { license: "(MIT OR GPL-3.0)" },
    "node_modules/both": { license: "MIT AND Apache-2.0" },
    "node_modules/bound": { license: "GPL-3.0" },
    "node_modules/half": { license: "MIT AND GPL-3.0" },
    "node_modules/silent": {},
  };
  expect(refusedLicences(packages)).toEqual([
    "gpugrad needs heavy: it is to need nothing",
    "node_modules/bound: GPL-3.0",
    "node_modules/half: MIT AND GPL-3.0",
    "node_modules/silent: none that it names",
  ]);
});
