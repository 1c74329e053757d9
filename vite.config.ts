/** The tests; scripts/build.js builds the library, demo/vite.config.ts has the site. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { shaderModules } from "./scripts/shader-modules.js";
import { examplesPlugin } from "./test/examples-plugin.js";
import { puppeteerProvider } from "./test/puppeteer-provider.js";
import { recordShaders } from "./test/shader-records.js";

const root = fileURLToPath(new URL(".", import.meta.url));

/** What the package's entries are here. */
const alias = { "gpugrad/core": `${root}src/core.ts`, gpugrad: `${root}src/index.ts` };

/**
 * Of the tests of pages, those of what a runtime may do in another way: devices, memory, errors, the forms of input, every example
 * of the documents. CI has no time for the others in Node, too; `npm run test:node` runs all.
 */
const whereNodeDiffers = [
  "test/gpu/{arrays,debug,device-lost,encode-into,encoded-late,failures,init,interleaved,untold,windows}.test.ts",
  "test/{examples,fuzz,seed}.test.ts",
];

export default defineConfig({
  root,
  // The tests run what is shipped.
  plugins: [shaderModules()],
  // Found late, a dependency makes Vite reload the page in the middle of a run.
  optimizeDeps: { include: ["fast-check"] },
  test: {
    reporters:
      process.env["CI"] === undefined ? ["default"] : ["default", ["json", { outputFile: "test/output/report.json" }]],
    projects: [
      {
        extends: true,
        plugins: [examplesPlugin(root)],
        resolve: { alias },
        test: {
          name: "browser",
          include: ["test/**/*.test.ts"],
          exclude: ["test/node/**", "test/base/**", "test/wgsl/**"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          setupFiles: "test/recorded-shaders.ts",
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: puppeteerProvider(),
            commands: { recordShaders },
            instances: [{ browser: "chrome" }],
          },
        },
      },
      {
        extends: true,
        plugins: [examplesPlugin(root)],
        resolve: { alias },
        test: {
          name: "webgpu in node",
          include: process.env["CI"] === undefined ? ["test/**/*.test.ts"] : whereNodeDiffers,
          // The sweep compares in a page's workers; `npm run sweep -- --node` does the same here.
          exclude: ["test/node/**", "test/base/**", "test/wgsl/**", "test/sweep.test.ts"],
          setupFiles: "test/webgpu-in-node.ts",
          execArgv: ["--expose-gc"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        plugins: [examplesPlugin(root)],
        resolve: { alias },
        test: {
          // Run by Deno, not by Node: scripts/deno.js.
          name: "deno",
          include: ["test/**/*.test.ts"],
          exclude: ["test/node/**", "test/base/**", "test/wgsl/**"],
          execArgv: ["--expose-gc"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: "node",
          include: ["test/node/**/*.test.ts", "test/base/**/*.test.ts", "test/wgsl/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
