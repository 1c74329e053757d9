/**
 * `npm run size`: what gpugrad adds to an application's bundle, minified and gzipped, by what is imported from it. As a user
 * has it: the built library, and another build around it.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { strippedShaders } from "./stripped-shaders.js";

/** @import { Plugin } from "vite" */

const root = fileURLToPath(new URL("..", import.meta.url));

/** What is imported: built-in functions alone, and own WGSL. */
const imports = {
  builtIns: "init, square, Variable",
  own: "elementwise, init, square, Variable",
  all: "*",
};

/** In the place of the differentiator, to see what it adds: the rest of the library is the same. */
const without =
  "export class Derivation { backward() { throw this; } by() { throw this; } }\n" +
  "export class Module { deriver() { throw this; } }\nexport const neededOf = () => [];";

/**
 * Bytes by what is imported, and what the differentiator has of them.
 *
 * @returns {Promise<Record<keyof typeof imports, { all: number, differentiator: number }>>}
 */
export async function sizes() {
  const entry = join(root, "src/index.ts");
  const library = await built([], { entry, isMinified: false });
  const stripped = await built([stands("derive/derive.js", without)], { entry, isMinified: false });
  /** @param {string} names */
  const measured = async (names) => {
    const all = await bundled(library, names);
    return { all, differentiator: all - (await bundled(stripped, names)) };
  };
  return {
    builtIns: await measured(imports.builtIns),
    own: await measured(imports.own),
    all: await measured(imports.all),
  };
}

/**
 * @param {string} library
 * @param {string} names
 */
async function bundled(library, names) {
  const entry = `export ${names === "*" ? names : `{ ${names} }`} from "gpugrad";`;
  const code = await built([stands("gpugrad", library), stands("application", entry)], {
    entry: "application",
    isMinified: true,
  });
  return gzipSync(code, { level: 9 }).length;
}

/**
 * @param {Plugin[]} plugins
 * @param {{ entry: string, isMinified: boolean }} options
 */
async function built(plugins, { entry, isMinified }) {
  const result = await build({
    root,
    configFile: false,
    logLevel: "silent",
    plugins: [strippedShaders(), ...plugins],
    build: { write: false, minify: isMinified, target: "es2022", lib: { entry, formats: ["es"], fileName: "all" } },
  });
  const first = Array.isArray(result) ? result[0] : result;
  if (first === undefined || !("output" in first)) throw new Error("nothing was built");
  return first.output[0].code;
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
    resolveId: (source) => (source === name || source.endsWith(`/${name}`) ? id : null),
    load: (wanted) => (wanted === id ? { code, moduleSideEffects: true } : null),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { builtIns, own, all } = await sizes();
  /** @param {number} bytes */
  const shown = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
  process.stdout.write(
    [
      "minified and gzipped:",
      `  built-in functions alone   ${shown(builtIns.all)}, of it the differentiator ${shown(builtIns.differentiator)}`,
      `  and elementwise            ${shown(own.all)}, of it the differentiator ${shown(own.differentiator)}`,
      `  everything                 ${shown(all.all)}`,
      "",
    ].join("\n"),
  );
}
