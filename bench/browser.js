/** The pages to measure, built as an application would be, served from this machine and opened in headless Chrome. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer";
import { build, preview } from "vite";
import { chromeFlags, findBrowser } from "../scripts/browser.js";
import { shaderModules } from "../scripts/shader-modules.js";

/** Isolated, a page gets clocks of 5 µs instead of 100. */
const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/**
 * @returns {Promise<{ url: string, close(): Promise<void> }>}
 */
export async function serve() {
  const outDir = mkdtempSync(join(tmpdir(), "gpugrad-bench-"));
  const remove = () => {
    rmSync(outDir, { recursive: true, force: true });
  };
  // Also where the run is interrupted: puppeteer then closes the browser and ends this process.
  process.once("exit", remove);
  try {
    const root = import.meta.dirname;
    /** @type {import("vite").InlineConfig} */
    const shared = { configFile: false, root, logLevel: "error", plugins: [shaderModules()] };
    await build({
      ...shared,
      build: {
        outDir,
        emptyOutDir: true,
        target: "es2022",
        chunkSizeWarningLimit: Infinity,
        rolldownOptions: {
          input: [join(root, "index.html"), ...["first.html", "first-call.html"].map((page) => join(root, page))],
        },
      },
    });
    const server = await preview({ ...shared, build: { outDir }, preview: { host: "localhost", port: 4790, headers } });
    const url = server.resolvedUrls?.local[0];
    if (url === undefined) throw new Error("Vite gives no address for the bench's pages");
    return {
      url,
      async close() {
        await server.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

export function launch() {
  return puppeteer.launch({
    executablePath: findBrowser(),
    args: [...chromeFlags, "--js-flags=--expose-gc"],
    // A problem's rounds are one call, and may take longer than puppeteer's three minutes.
    protocolTimeout: 1_200_000,
  });
}
