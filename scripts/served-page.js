/** A folder's page, served by Vite from the sources and opened in headless Chrome: what `npm run sweep` and soak run in. */
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer";
import { createServer } from "vite";
import { chromeFlags, findBrowser } from "./browser.js";
import { shaderModules } from "./shader-modules.js";

const repository = fileURLToPath(new URL("..", import.meta.url));

/**
 * Runs `use` with the browser and the page's address, and closes both whatever happens.
 *
 * @template T
 * @param {string} folder its index.html is served
 * @param {readonly string[]} flags for Chrome, besides those that WebGPU needs
 * @param {(browser: import("puppeteer").Browser, address: string) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withServedPage(folder, flags, use) {
  const server = await createServer({
    configFile: false,
    root: folder,
    logLevel: "warn",
    plugins: [shaderModules()],
    // Other servers of this repository watch and cache too; what changes meanwhile must not reload the page.
    cacheDir: join(repository, "node_modules", `.vite-${basename(folder)}`),
    server: { fs: { allow: [repository] }, hmr: false, watch: null },
  });
  try {
    await server.listen();
    const [address] = server.resolvedUrls?.local ?? [];
    if (address === undefined) throw new Error("the server has no address");
    const browser = await puppeteer.launch({
      executablePath: findBrowser(),
      args: [...chromeFlags, ...flags],
      // One call may take minutes.
      protocolTimeout: 0,
    });
    try {
      return await use(browser, address);
    } finally {
      await browser.close();
    }
  } finally {
    await server.close();
  }
}
