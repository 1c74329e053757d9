/** Runs Vitest's browser mode in headless Chrome through puppeteer. */
import { defineBrowserProvider } from "@vitest/browser";
import puppeteer, { type Browser, type Page } from "puppeteer";
import type { BrowserProvider, BrowserProviderOption } from "vitest/node";
import { chromeFlags, findBrowser } from "../scripts/browser.js";

class PuppeteerProvider implements BrowserProvider {
  readonly name = "puppeteer";
  readonly supportsParallelism = false;
  #browser: Promise<Browser> | null = null;
  readonly #pages = new Map<string, Page>();

  getCommandsContext(sessionId: string): Record<string, unknown> {
    return { page: this.#pages.get(sessionId) };
  }

  async openPage(sessionId: string, url: string): Promise<void> {
    this.#browser ??= launch();
    const browser = await this.#browser;
    const page = await browser.newPage();
    page.on("error", (error) => {
      process.stderr.write(`the page crashed: ${error.message}\n`);
    });
    this.#pages.set(sessionId, page);
    await page.goto(url);
    const adapter = await page.evaluate(
      async () => "gpu" in navigator && (await navigator.gpu.requestAdapter()) !== null,
    );
    if (!adapter) throw new Error("Chrome offers no WebGPU adapter: the tests can't run, and none may be skipped");
  }

  async close(): Promise<void> {
    const browser = await this.#browser;
    this.#browser = null;
    this.#pages.clear();
    await browser?.close();
  }
}

function launch(): Promise<Browser> {
  return puppeteer.launch({
    executablePath: findBrowser(),
    args: [...chromeFlags, "--js-flags=--expose-gc"],
    // A full collection or a sweep may take longer than puppeteer's three minutes.
    protocolTimeout: 1_200_000,
  });
}

export function puppeteerProvider(): BrowserProviderOption {
  return defineBrowserProvider({
    name: "puppeteer",
    options: {},
    providerFactory: () => new PuppeteerProvider(),
  });
}
