/** A static server and a browser, for tests that open real pages without Vite. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { extname, join, normalize } from "node:path";
import puppeteer, { type Browser, type Page } from "puppeteer";
import { chromeFlags, findBrowser } from "../../scripts/browser.js";

const types: Partial<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".map": "application/json",
  ".svg": "image/svg+xml",
};

export interface StaticSite {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves a folder under `path`, with a strict Content-Security-Policy. */
export async function serve(folder: string, path = "/"): Promise<StaticSite> {
  const server: Server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const wanted = pathname.startsWith(path) ? pathname.slice(path.length) : "missing";
    const file = join(folder, normalize(wanted === "" || wanted.endsWith("/") ? `${wanted}index.html` : wanted));
    readFile(file).then(
      (content) => {
        response.writeHead(200, {
          "Content-Type": types[extname(file)] ?? "application/octet-stream",
          "Content-Security-Policy": "default-src 'self'",
        });
        response.end(content);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    url: `http://localhost:${address.port}${path}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Collects a page's uncaught errors, and what it writes to the console as errors. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    // The icon that keeps the browser from asking for one is itself against the policy.
    if (message.type() === "error" && !message.text().includes("data:,")) complaints.push(message.text());
  });
  return complaints;
}

/** Builds the library into a folder, as `npm run build` does, without its declarations. */
/** @param options of scripts/build.js */
export function buildLibrary(outDir: string, ...options: string[]): void {
  execFileSync(process.execPath, [join(import.meta.dirname, "../../scripts/build.js"), "--outDir", outDir, ...options]);
}

/** Writes a page that runs nothing but this module. */
export function writePage(folder: string, name: string, script: string): void {
  const page = `<!doctype html><link rel="icon" href="data:,"><script type="module" src="${name}"></script>`;
  writeFileSync(join(folder, "index.html"), page);
  writeFileSync(join(folder, name), script);
}

export async function launchChrome(flags: readonly string[] = chromeFlags): Promise<Browser> {
  return puppeteer.launch({ executablePath: findBrowser(), args: [...flags] });
}
