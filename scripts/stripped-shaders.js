/** A plugin for Vite: shaders without what only their readers need, comments and indentation. */
import { readFile } from "node:fs/promises";

/** @import { Plugin } from "vite" */

/**
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

/** @returns {Plugin} */
export function strippedShaders() {
  return {
    name: "shaders without comments",
    enforce: "pre",
    async load(id) {
      const [file = "", query] = id.split("?");
      if (!file.endsWith(".wgsl") || query !== "raw") return null;
      this.addWatchFile(file);
      return `export default ${JSON.stringify(stripped(await readFile(file, "utf8")))};`;
    },
  };
}
