/** WebGPU in Node as tests expect it of a page: `navigator.gpu`, and WebGPU's constants. */
import { globals } from "webgpu";
import { gpu } from "../src/node/gpu.js";

Object.assign(globalThis, globals);
Object.defineProperty(globalThis, "navigator", { value: { gpu: await gpu() }, configurable: true, writable: true });
