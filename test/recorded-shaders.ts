/**
 * In every page of tests: records the shaders that they make and Chrome's compiler takes, for `npm run naga`, which has
 * another compiler read them.
 */
import { afterAll } from "vitest";
import * as browser from "vitest/browser";
import type { RecordedShader } from "./shader-records.js";

// Vitest's own types come with a provider, and ours is none of its.
const { commands } = browser as unknown as {
  commands: { recordShaders: (shaders: readonly RecordedShader[]) => Promise<void> };
};

const seen = new Set<string>();
let recorded: RecordedShader[] = [];

const { prototype } = GPUDevice;
const create = Reflect.get(prototype, "createShaderModule");
prototype.createShaderModule = function (descriptor) {
  const made = create.call(this, descriptor);
  const { code, label = "" } = descriptor;
  if (!seen.has(code)) {
    seen.add(code);
    void made.getCompilationInfo().then(
      ({ messages }) => {
        if (messages.every(({ type }) => type !== "error")) recorded.push({ label, wgsl: code });
      },
      // The device is lost.
      () => undefined,
    );
  }
  return made;
};

afterAll(async () => {
  const sent = recorded;
  recorded = [];
  await commands.recordShaders(sent);
});
