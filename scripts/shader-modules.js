/**
 * A plugin for Vite: `import text from "….wgsl?raw"` gives the text, and brings the files of shaders/math/ whose functions it
 * names, so that whoever bundles a few functions has their math and no other.
 */
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

/** @import { Plugin } from "vite" */

const root = fileURLToPath(new URL("..", import.meta.url));
const mathFolder = join(root, "shaders", "math");
const registry = join(root, "src", "wgsl", "math.ts");

/**
 * The shader without what only its readers need: comments and indentation.
 *
 * @param {string} wgsl
 * @returns {string}
 */
export function stripped(wgsl) {
  return wgsl
    .replaceAll(/\/\/[^\n]*|\/\*[^]*?\*\//g, "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join("\n")
    .concat("\n");
}

/**
 * The files of shaders/math/ that a text needs: of each name, the one that is called so, or as the longest beginning of it.
 *
 * @param {string} wgsl
 * @param {ReadonlySet<string>} files without the ending
 * @returns {string[]}
 */
export function mathOf(wgsl, files) {
  /** @type {Set<string>} */
  const found = new Set();
  for (const [, name = ""] of stripped(wgsl).matchAll(/\bmath_(\w+)/g)) {
    for (let end = name.length; end > 0; end = name.lastIndexOf("_", end - 1)) {
      if (!files.has(name.slice(0, end))) continue;
      found.add(name.slice(0, end));
      break;
    }
  }
  return [...found].sort();
}

/**
 * @param {{ keepsComments?: boolean }} [options]
 * @returns {Plugin}
 */
export function shaderModules({ keepsComments = false } = {}) {
  return {
    name: "shaders with their math",
    enforce: "pre",
    async load(id) {
      const [file = "", query] = id.split("?");
      if (!file.endsWith(".wgsl") || query !== "raw") return null;
      this.addWatchFile(file);
      const wgsl = await readFile(file, "utf8");
      const text = JSON.stringify(keepsComments ? wgsl : stripped(wgsl));
      const files = new Set(readdirSync(mathFolder).map((name) => basename(name, ".wgsl")));
      const own = file.startsWith(mathFolder) ? basename(file, ".wgsl") : null;
      const needed = mathOf(wgsl, files).filter((name) => name !== own);
      const imports = needed.map(
        (name, k) => `import m${k} from ${JSON.stringify(join(mathFolder, `${name}.wgsl?raw`))};`,
      );
      if (own !== null) {
        const math = needed.map((_, k) => `, m${k}`).join("");
        imports.push(`import { mathFile } from ${JSON.stringify(registry)};`);
        return `${imports.join("\n")}\nexport default /* @__PURE__ */ mathFile("${own}", ${text}${math});\n`;
      }
      if (needed.length === 0) return `export default ${text};\n`;
      const math = needed.map((_, k) => `, m${k}`).join("");
      imports.push(`import { withMath } from ${JSON.stringify(registry)};`);
      return `${imports.join("\n")}\nexport default /* @__PURE__ */ withMath(${text}${math});\n`;
    },
  };
}
