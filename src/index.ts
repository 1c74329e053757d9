/// <reference lib="esnext.disposable" preserve="true" />
/** gpugrad: autodiff for WebGPU. The public names (core.ts has the list), and the functions as methods of Variable. */
import "./functions/methods.js";
import "./transforms/update-method.js";

export * from "./core.js";
