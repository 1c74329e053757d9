/**
 * `npm run build`: the package's code in dist/. To be read, and for bundlers, which take what is imported and no more: a file for
 * each folder of src/, under the entries. For pages without a bundler: all in one, minified.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "vite";
import { shaderModules } from "./shader-modules.js";

/** @import { Plugin } from "vite" */

const root = fileURLToPath(new URL("..", import.meta.url));
const entries = ["index", "core", "node"];
const target = "es2022";

/** From the lowest on: what a file needs is in those before it. */
const folders = ["shaders", "base", "wgsl", "gpu", "graph", "elementwise", "functions", "transforms", "inspect"];

/** They must stay in the entries, which package.json says have side effects: a bundler may leave out those of other files. */
const withSideEffects = /(?:gradient-sums|methods|update-method)\.ts$/;

/**
 * @param {string} id of a module
 * @param {string} folder
 */
function isIn(id, folder) {
  const path = relative(root, id).split(sep).join("/");
  // Every shader that names math needs it, to say so.
  if (path === "src/wgsl/math.ts") return folder === "shaders";
  return !withSideEffects.test(path) && (path.startsWith(`src/${folder}/`) || path.startsWith(`${folder}/`));
}

/**
 * @param {string} outDir
 * @param {readonly Plugin[]} plugins further ones
 */
export async function buildLibrary(outDir, plugins = []) {
  rmSync(outDir, { recursive: true, force: true });
  const shared = { outDir, emptyOutDir: false, target, modulePreload: false, reportCompressedSize: false };
  await build({
    root,
    configFile: false,
    logLevel: "warn",
    plugins: [shaderModules(), ...plugins],
    build: {
      ...shared,
      minify: false,
      lib: { entry: Object.fromEntries(entries.map((name) => [name, join(root, `src/${name}.ts`)])), formats: ["es"] },
      rolldownOptions: {
        external: ["gpugrad/core", "webgpu", /^node:/],
        output: {
          entryFileNames: "[name].js",
          chunkFileNames: "[name].js",
          minifyInternalExports: false,
          codeSplitting: {
            groups: folders.map((name, k) => ({ name, test: (id) => isIn(id, name), priority: folders.length - k })),
          },
        },
      },
    },
  });
  await build({
    root,
    configFile: false,
    logLevel: "warn",
    build: {
      ...shared,
      minify: true,
      // Not as a library: Vite keeps the blanks of one.
      rolldownOptions: {
        input: join(outDir, "index.js"),
        preserveEntrySignatures: "strict",
        output: { entryFileNames: "gpugrad.min.js" },
      },
    },
  });
}

/** Declarations, of what the public ones name: the others say nothing to who uses the package. @param {string} outDir */
function declare(outDir) {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const given = [tsc, "-p", join(root, "tsconfig.build.json"), "--outDir", outDir];
  const { status } = spawnSync(process.execPath, given, { stdio: "inherit" });
  if (status !== 0) throw new Error("the declarations have errors");
  const needed = new Set(entries.map((name) => join(outDir, `${name}.d.ts`)));
  // The list grows while it is walked.
  for (const file of needed) {
    for (const [, path = ""] of readFileSync(file, "utf8").matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)\.js"/g)) {
      needed.add(resolve(dirname(file), `${path}.d.ts`));
    }
  }
  for (const path of readdirSync(outDir, { recursive: true, encoding: "utf8" })) {
    const file = join(outDir, path);
    if (path.endsWith(".d.ts") && !needed.has(file)) rmSync(file);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      outDir: { type: "string", default: join(root, "dist") },
      declarations: { type: "boolean", default: false },
    },
  });
  const outDir = resolve(values.outDir);
  await buildLibrary(outDir);
  if (values.declarations) declare(outDir);
}
