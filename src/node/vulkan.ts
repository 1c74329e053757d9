/**
 * Vulkan on Linux, which the npm package webgpu runs on. Where the system has none, there is one beside every Chrome and
 * Chromium: the loader libvulkan, and the driver SwiftShader, which runs shaders on the processor.
 */
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";

const loader = "libvulkan.so.1";
const driver = "vk_swiftshader_icd.json";

/** Where installers put Chrome and Chromium. */
const usualFolders = [
  "/usr/lib/chromium",
  "/usr/lib/chromium-browser",
  "/opt/google/chrome",
  "/opt/chromium.org/chromium",
  "/snap/chromium/current/usr/lib/chromium-browser",
];

/** Where drivers put the files that name them. */
const driverFolders = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"];

/** What the loader looks at before it looks into `driverFolders`; null where nothing is set. */
export function namedDrivers(): string | null {
  const named = process.env["VK_DRIVER_FILES"] ?? process.env["VK_ICD_FILENAMES"] ?? "";
  return named === "" ? null : named;
}

/** Has Vulkan find SwiftShader beside an installed Chrome or Chromium. False where there is none. */
export function useSwiftShader(): boolean {
  const folder = swiftShaderFolder();
  if (folder === null) return false;
  if (!hasLoader() && !load(join(folder, loader))) return false;
  process.env["VK_ICD_FILENAMES"] = join(folder, driver);
  return true;
}

/** Whether the system has Vulkan's loader. */
export function hasLoader(): boolean {
  return load(loader);
}

/** Whether a driver of the system's own is there, of a GPU or another one of the processor. */
export function hasDriver(): boolean {
  const named = namedDrivers();
  if (named !== null) return named.split(delimiter).some((file) => existsSync(file));
  return driverFolders.some((folder) => listOf(folder).some((file) => file.endsWith(".json")));
}

/**
 * Loads a library, to stay. Node takes only its own kind of modules and lets go of any other, but with RTLD_NODELETE the
 * library remains, and is found by its name from then on.
 */
function load(library: string): boolean {
  const [now, noDelete] = [2, 0x1000];
  try {
    process.dlopen({ exports: {} }, library, now | noDelete);
  } catch (error) {
    // Found, but not one of Node's modules.
    return error instanceof Error && error.message.includes("did not self-register");
  }
  return true;
}

/** The folder of a Chrome that has both; null where none is installed in a place that is known. */
function swiftShaderFolder(): string | null {
  const named = [process.env["PUPPETEER_EXECUTABLE_PATH"], process.env["CHROME_PATH"]].flatMap((path) =>
    path === undefined || path === "" ? [] : [dirname(path)],
  );
  const folders = [...named, ...usualFolders, ...downloaded()];
  return folders.find((folder) => existsSync(join(folder, driver))) ?? null;
}

/** What puppeteer and Playwright have downloaded. */
function downloaded(): string[] {
  const cache = join(homedir(), ".cache");
  const inFolders = (folder: string, inner: string): string[] =>
    listOf(folder).map((version) => join(folder, version, inner));
  return [
    ...inFolders(join(cache, "puppeteer", "chrome"), "chrome-linux64"),
    ...inFolders(join(cache, "ms-playwright"), "chrome-linux"),
    ...inFolders(join(cache, "ms-playwright"), "chrome-linux64"),
  ];
}

function listOf(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
