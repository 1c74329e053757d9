/** The pages of `examples/`. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { shaderModules } from "../scripts/shader-modules.js";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here("."),
  base: "./",
  cacheDir: here("../node_modules/.vite-examples"),
  appType: "mpa",
  plugins: [shaderModules()],
  resolve: { alias: { "gpugrad/core": here("../src/core.ts"), gpugrad: here("../src/index.ts") } },
  build: {
    target: "es2022",
    // As the tests' server has it: a Content-Security-Policy forbids data: addresses and inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: Infinity,
    rolldownOptions: { input: ["webgpu", "three", "typegpu"].map((name) => here(`${name}/index.html`)) },
  },
});
