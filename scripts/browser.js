/**
 * Finds a browser for the tests and `npm start`, or gets one. In this order: the one that PUPPETEER_EXECUTABLE_PATH or
 * CHROME_PATH names, puppeteer's cache, an installed Chrome or Chromium, a download by puppeteer, then, as root on
 * Debian or Ubuntu, the system's package manager.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import puppeteer from "puppeteer";

/**
 * Where installers put Chrome and Chromium.
 *
 * @type {Partial<Record<string, string[]>>}
 */
const installed = {
  linux: ["google-chrome", "google-chrome-stable", "chromium", "chromium-browser"],
  darwin: [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
  ],
  win32: [
    "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
    "C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe",
  ],
};

/** Flags under which Chrome offers WebGPU without a GPU too, and stays off the network. */
export const chromeFlags = [
  "--enable-unsafe-webgpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // A page in the background must not be slowed while it is measured.
  "--disable-background-timer-throttling",
  "--disable-renderer-backgrounding",
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
];

/**
 * @param {(message: string) => void} [log] told what takes long
 * @returns {string} the path of a browser's executable
 */
export function findBrowser(log = (message) => process.stderr.write(`${message}\n`)) {
  const named = process.env["PUPPETEER_EXECUTABLE_PATH"] ?? process.env["CHROME_PATH"];
  if (named !== undefined && named !== "") {
    if (existsSync(named)) return named;
    throw new Error(`there is no browser at ${named}, which PUPPETEER_EXECUTABLE_PATH or CHROME_PATH names`);
  }
  const found = inCache() ?? onSystem() ?? downloaded(log) ?? fromPackages(log);
  if (found !== null) return found;
  throw new Error(
    "No Chrome or Chromium was found and none could be installed. Install one, or set PUPPETEER_EXECUTABLE_PATH to its executable.",
  );
}

function inCache() {
  const path = puppeteer.executablePath();
  return existsSync(path) ? path : null;
}

function onSystem() {
  const places = installed[process.platform] ?? [];
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const candidates = places.flatMap((place) =>
    place.includes("/") || place.includes("\\") ? [place] : folders.map((folder) => join(folder, place)),
  );
  return candidates.find((candidate) => existsSync(candidate)) ?? null;
}

/** @param {(message: string) => void} log */
function downloaded(log) {
  log("No Chrome or Chromium found; downloading one for the tests …");
  try {
    const cli = join(import.meta.dirname, "..", "node_modules", ".bin", "puppeteer");
    execFileSync(cli, ["browsers", "install", "chrome"], { stdio: ["ignore", "ignore", "pipe"], timeout: 300_000 });
  } catch {
    log("The download was refused.");
    return null;
  }
  return inCache();
}

/** @param {(message: string) => void} log */
function fromPackages(log) {
  if (process.platform !== "linux" || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return null;
  log("Installing the system's package chromium …");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  try {
    execFileSync("apt-get", ["update"], { stdio: "ignore", env });
    execFileSync("apt-get", ["install", "-y", "--no-install-recommends", "chromium"], { stdio: "ignore", env });
  } catch (error) {
    log(`That failed: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
  return onSystem();
}
