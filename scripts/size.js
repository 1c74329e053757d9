/**
 * `npm run size`: what gpugrad adds to an application's bundle, minified and gzipped, by what is imported from it, and what npm
 * sends. As a user has it: the built package, and a bundler's build around it. Fails above the budget.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { buildLibrary } from "./build.js";

/** @import { Plugin } from "vite" */

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * What is measured, in kB of 1000 bytes: the budget is what was reached and some 3 %, the aim what is wanted. Raise a budget for what is
 * worth it, in the commit that needs it.
 *
 * @satisfies {Record<string, { from: string, names: string, budget: number, aim?: number }>}
 */
export const measured = {
  "init, Variable, Square, Exp": { from: "gpugrad/core", names: "init, Variable, Square, Exp", budget: 36.3, aim: 20 },
  "with a step of descent": {
    from: "gpugrad/core",
    names: "init, Variable, add, mul, square, sum, grad",
    budget: 36.1,
  },
  "with elementwise": { from: "gpugrad/core", names: "init, Variable, Square, Exp, elementwise", budget: 75.1 },
  "with all methods": { from: "gpugrad", names: "init, Variable, Square, Exp", budget: 63.2 },
  everything: { from: "gpugrad", names: "*", budget: 120.6, aim: 65 },
};

/** For the differentiator of WGSL, of what elementwise adds. */
export const differentiatorBudget = 12;

/** What npm sends. */
export const packed = { budget: 446, aim: 150 };

/** In the place of the differentiator, to see what it adds: the rest of the library is the same. */
const without =
  "export class Derivation { backward() { throw this; } by() { throw this; } }\n" +
  "export class Module { deriver() { throw this; } }\nexport const neededOf = () => [];";

/**
 * In kB: each of what is measured, and what the differentiator has of two of them.
 *
 * @returns {Promise<{ bundles: Record<keyof typeof measured, number>, differentiator: { small: number, own: number } }>}
 */
export async function sizes() {
  const folder = mkdtempSync(join(tmpdir(), "gpugrad-size-"));
  try {
    const [whole, stripped] = [join(folder, "whole"), join(folder, "stripped")];
    await install(whole);
    await install(stripped, [stands("derive/derive.js", without)]);
    const bundles = /** @type {Record<keyof typeof measured, number>} */ ({});
    for (const name of /** @type {(keyof typeof measured)[]} */ (Object.keys(measured))) {
      bundles[name] = await bundled(whole, measured[name]);
    }
    /** @param {keyof typeof measured} name */
    const ofDifferentiator = async (name) => bundles[name] - (await bundled(stripped, measured[name]));
    return {
      bundles,
      differentiator: {
        small: await ofDifferentiator("init, Variable, Square, Exp"),
        own: await ofDifferentiator("with elementwise"),
      },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Of the tarball, in kB. */
export function packedSize() {
  execFileSync("npm", ["run", "build"], { cwd: root, stdio: "ignore" });
  const printed = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root,
    encoding: "utf8",
  });
  /** @type {unknown} */
  const packs = JSON.parse(printed);
  return /** @type {[{ size: number }]} */ (packs)[0].size / 1000;
}

/**
 * @param {string} folder gets an application's node_modules
 * @param {readonly Plugin[]} plugins
 */
async function install(folder, plugins = []) {
  const installed = join(folder, "node_modules/gpugrad");
  mkdirSync(installed, { recursive: true });
  cpSync(join(root, "package.json"), join(installed, "package.json"));
  await buildLibrary(join(installed, "dist"), plugins);
}

/**
 * @param {string} folder
 * @param {{ from: string, names: string }} imports
 */
async function bundled(folder, { from, names }) {
  const entry = join(folder, "application.js");
  const used =
    names === "*" ? `import * as all from "${from}";` : `import { ${names} } from "${from}"; const all = [${names}];`;
  writeFileSync(entry, `${used}\nglobalThis.application = all;\n`);
  await build({
    root: folder,
    configFile: false,
    logLevel: "silent",
    build: {
      minify: true,
      target: "es2022",
      modulePreload: false,
      rolldownOptions: { input: entry, output: { entryFileNames: "bundle.js" } },
    },
  });
  return gzipSync(readFileSync(join(folder, "dist/bundle.js")), { level: 9 }).length / 1000;
}

/**
 * A module that stands for what is imported under a name that ends so.
 *
 * @param {string} name
 * @param {string} code
 * @returns {Plugin}
 */
function stands(name, code) {
  const id = `\0${name}`;
  return {
    name: `stands for ${name}`,
    enforce: "pre",
    resolveId: (source) => (source.endsWith(`/${name}`) ? id : null),
    load: (wanted) => (wanted === id ? code : null),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { bundles, differentiator } = await sizes();
  const rows = [
    ...Object.entries(measured).map(([name, { budget, ...rest }]) => ({
      name,
      size: bundles[/** @type {keyof typeof measured} */ (name)],
      budget,
      aim: "aim" in rest ? rest.aim : undefined,
    })),
    {
      name: "of elementwise, the differentiator",
      size: differentiator.own,
      budget: differentiatorBudget,
      aim: undefined,
    },
    { name: "the package, as npm sends it", size: packedSize(), ...packed },
  ];
  for (const { name, size, budget, aim } of rows) {
    const isOver = size > budget;
    if (isOver) process.exitCode = 1;
    const limits = `budget ${budget}${aim === undefined ? "" : `, aim ${aim}`}`;
    console.log(`${name.padEnd(36)} ${size.toFixed(1).padStart(6)} kB  (${limits})${isOver ? "  TOO LARGE" : ""}`);
  }
}
