/**
 * A module that is written for a page, in Node instead: on the WebGPU of the package webgpu, for machines with a GPU and no
 * browser. What `npm run bench -- --node` and `npm run sweep -- --node` run in.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker as Thread } from "node:worker_threads";
import { build } from "vite";
import { shaderModules } from "./shader-modules.js";

const repository = fileURLToPath(new URL("..", import.meta.url));

/**
 * Runs `use` with what the folder's page.ts exports, built for Node with the workers that it starts.
 *
 * @template Module
 * @template T
 * @param {string} folder
 * @param {readonly string[]} workers the names of its workers' files, without the ending
 * @param {(module: Module) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withModuleInNode(folder, workers, use) {
  // Inside of the repository, so that packages are found from there.
  const parent = join(repository, "node_modules", ".in-node");
  mkdirSync(parent, { recursive: true });
  const outDir = mkdtempSync(join(parent, `${basename(folder)}-`));
  const remove = () => {
    rmSync(outDir, { recursive: true, force: true });
  };
  process.once("exit", remove);
  try {
    await buildFor(folder, ["page", ...workers], outDir);
    /** @type {(name: string) => Promise<unknown>} */
    const load = (name) => import(pathToFileURL(join(outDir, `${name}.js`)).href);
    await provideWebGpu(/** @type {typeof import("../src/node/gpu.js")} */ (await load("gpu")).gpu);
    provideWorkers();
    return await use(/** @type {Module} */ (await load("page")));
  } finally {
    remove();
  }
}

/**
 * @param {string} folder
 * @param {readonly string[]} names
 * @param {string} outDir
 */
async function buildFor(folder, names, outDir) {
  /** @type {Record<string, string>} */
  const input = { gpu: join(repository, "src/node/gpu.ts") };
  for (const name of names) input[name] = join(folder, `${name}.ts`);
  await build({
    configFile: false,
    root: folder,
    logLevel: "error",
    plugins: [shaderModules()],
    // As in a page: packages are bundled, from their ES modules.
    ssr: { noExternal: true, external: ["webgpu"] },
    resolve: {
      alias: { "gpugrad/core": join(repository, "src/core.ts"), gpugrad: join(repository, "src/index.ts") },
    },
    build: {
      ssr: true,
      outDir,
      emptyOutDir: true,
      target: "node20",
      rolldownOptions: {
        input,
        output: { entryFileNames: "[name].js" },
      },
    },
  });
}

/** WebGPU as a page has it: `navigator.gpu`, and its constants. @param {() => Promise<GPU>} gpu */
async function provideWebGpu(gpu) {
  const { globals } = await import("webgpu");
  const value = { gpu: await gpu(), hardwareConcurrency: availableParallelism(), userAgent: `Node ${process.version}` };
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, "navigator", { value, configurable: true });
}

/** A page's Worker, as far as it is used here: a thread in which `postMessage` and `addEventListener` are those of a worker. */
function provideWorkers() {
  const prelude =
    "import { parentPort, workerData } from 'node:worker_threads';" +
    "globalThis.postMessage = (data, transfer) => parentPort.postMessage(data, transfer);" +
    "globalThis.addEventListener = (type, heard) => parentPort.on(type, (data) => heard({ data }));" +
    "await import(workerData.file);";
  class Worker {
    /** @type {((event: { data: unknown }) => void) | null} */
    onmessage = null;
    /** @type {((event: { message: string }) => void) | null} */
    onerror = null;
    /** @type {Thread} */
    #thread;

    /** @param {URL} url */
    constructor(url) {
      const file = url.href.replace(/\.ts$/, ".js");
      this.#thread = new Thread(new URL(`data:text/javascript,${encodeURIComponent(prelude)}`), {
        workerData: { file },
      });
      this.#thread.on("message", (data) => this.onmessage?.({ data }));
      this.#thread.on("error", (error) => this.onerror?.({ message: String(error) }));
    }

    /**
     * @param {unknown} data
     * @param {readonly ArrayBuffer[]} transfer
     */
    postMessage(data, transfer) {
      this.#thread.postMessage(data, transfer);
    }

    terminate() {
      void this.#thread.terminate();
    }
  }
  Object.assign(globalThis, { Worker });
}
