/** `gpugrad/core`, of which a bundler takes what is imported: each function alone brings the math that its shaders name. */
import { build } from "esbuild";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { elementwiseFunctions } from "../reference/elementwise-functions.js";
import { buildLibrary } from "./page.js";

const folder = mkdtempSync(join(tmpdir(), "gpugrad-core-"));

beforeAll(() => {
  buildLibrary(join(folder, "dist"));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What is left of a bundle that names this of core, and what it gives under `told`. */
async function bundled(name: string, code: string): Promise<{ text: string; told: unknown }> {
  const entry = join(folder, `${name}.js`);
  writeFileSync(entry, code);
  const outfile = join(folder, `${name}.bundle.mjs`);
  // Shaken by what each statement says of itself alone: the side effects that package.json lists aren't asked for here.
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: "esm", outfile, write: false });
  const [text = ""] = outputFiles.map((file) => file.text);
  writeFileSync(outfile, text);
  const { told } = (await import(pathToFileURL(outfile).href)) as { told: unknown };
  return { text, told };
}

test.each([...elementwiseFunctions.keys()])("%s alone, in both modes of math", async (name) => {
  const { text, told } = await bundled(
    name,
    `import { ${name} } from "./dist/core.js";
     const { shaders, source } = new ${name}.Node();
     const loads = source.backward?.map(() => "full");
     const backward = loads === undefined ? [] : [shaders.backward({ loads, walk: null, words: null }, [0])];
     export const told = ["exact", "native"].flatMap((math) =>
       [shaders.whole(), ...backward].map((shader) => shader.source(math)));`,
  );
  for (const shader of told as string[]) {
    const called = Array.from(shader.matchAll(/\b(math_\w+)\(/g), ([, callee]) => callee);
    expect(called.filter((name) => !shader.includes(`fn ${name}(`) && !shader.includes(`struct ${name} {`))).toEqual(
      [],
    );
  }
  // Of what isn't asked for.
  expect(text).toMatch(/class Storage\b|\bStorage = class/);
  expect(text).not.toMatch(
    /\b(Derivation|FusedProgram|Kernel|Profiler) = class|class (Derivation|FusedProgram|Kernel|Profiler)\b/,
  );
});
