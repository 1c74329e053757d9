/** The library build and the tests; demo/vite.config.ts has the site. */
import { defineConfig } from "vitest/config";
import { puppeteerProvider } from "./test/puppeteer-provider.js";

export default defineConfig({
  build: {
    lib: { entry: "src/index.ts", formats: ["es"], fileName: () => "gpugrad.js" },
    target: "es2022",
    sourcemap: true,
    minify: false,
  },
  test: {
    reporters:
      process.env["CI"] === undefined ? ["default"] : ["default", ["json", { outputFile: "test/output/report.json" }]],
    projects: [
      {
        extends: true,
        test: {
          name: "browser",
          include: ["test/**/*.test.ts"],
          exclude: ["test/node/**"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: puppeteerProvider(),
            instances: [{ browser: "chrome" }],
          },
        },
      },
      {
        extends: true,
        test: {
          name: "node",
          include: ["test/node/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
