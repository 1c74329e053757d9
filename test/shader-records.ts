/** Writes the shaders that pages of tests have recorded, each once: `test/output/shaders/`, anew in every run. */
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { BrowserCommand } from "vitest/node";

export interface RecordedShader {
  readonly label: string;
  readonly wgsl: string;
}

const folder = join(import.meta.dirname, "output/shaders");
let isFirst = true;

/** A command that pages of tests can give. */
export const recordShaders: BrowserCommand<[shaders: readonly RecordedShader[]]> = ({ testPath = "" }, shaders) => {
  if (isFirst) rmSync(folder, { recursive: true, force: true });
  isFirst = false;
  mkdirSync(folder, { recursive: true });
  for (const { label, wgsl } of shaders) {
    const file = `${createHash("sha256").update(wgsl).digest("hex").slice(0, 32)}.json`;
    writeFileSync(join(folder, file), JSON.stringify({ label, file: basename(testPath), wgsl }));
  }
};
