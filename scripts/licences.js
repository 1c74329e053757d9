/**
 * Fails where a package that the library or its development needs has a licence that isn't known to allow it, by the lockfile; and
 * where the library itself needs one at all.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** @typedef {{ license?: string, dependencies?: object, link?: boolean }} LockedPackage */

/** What any use for development allows, without conditions for what is built. */
const allowed = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC0-1.0",
  "CC-BY-3.0",
  "CC-BY-4.0",
  // A list of misspelled words, which cspell reads.
  "CC BY-SA 4.0",
  "ISC",
  "MIT",
  "MPL-2.0",
  "Python-2.0",
  "Unlicense",
  "WTFPL",
]);

/**
 * What is wrong with these packages.
 *
 * @param {Readonly<Record<string, LockedPackage>>} packages as package-lock.json has them
 */
export function refusedLicences(packages) {
  const { "": own = {}, ...others } = packages;
  const needed = Object.keys(own.dependencies ?? {}).map((name) => `gpugrad needs ${name}: it is to need nothing`);
  const refused = Object.entries(others)
    .filter(([, { license, link }]) => link !== true && !isAllowed(license))
    .map(([path, { license = "none that it names" }]) => `${path}: ${license}`);
  return [...needed, ...refused];
}

/** @param {string | undefined} license an SPDX expression */
function isAllowed(license = "") {
  return license
    .replaceAll(/[()]/g, "")
    .split(" OR ")
    .some((choice) => choice.split(" AND ").every((each) => allowed.has(each)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  /** @type {unknown} */
  const lock = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8"));
  const refused = refusedLicences(/** @type {{ packages: Record<string, LockedPackage> }} */ (lock).packages);
  for (const each of refused) console.log(each);
  process.exitCode = refused.length === 0 ? 0 : 1;
}
