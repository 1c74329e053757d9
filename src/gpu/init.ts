/** Picking a device, once: through an adapter, or the application's own. */
import { ArgumentError, NoAdapterError, NoWebGPUError } from "../base/errors.js";
import { describe } from "../base/describe.js";
import type { MathMode } from "../wgsl/math.js";
import { lastDevice, setCurrentDevice } from "./current.js";
import { Device } from "./device.js";

export interface InitOptions {
  /** The application's own device. gpugrad works on it and never destroys it. */
  readonly device?: GPUDevice;
  /** The entry point to WebGPU where there is no `navigator.gpu`: in Node, `create([])` of the npm package webgpu. */
  readonly gpu?: GPU;
  /** Passed to `requestAdapter`; counts only when a device is picked. */
  readonly powerPreference?: GPUPowerPreference;
  /** "exact" (the default) for gpugrad's own functions, "native" for the driver's. */
  readonly math?: MathMode;
  /** The most bytes of released buffers that are kept for reuse. Default: 1 GiB. */
  readonly poolBytes?: number;
}

let lastInit: Promise<unknown> = Promise.resolve();

/**
 * Picks an adapter and a device, or takes the application's. Call it once and await it before anything else. Calling
 * it again, even at the same time, gives the same device; after a device was lost, a new one. A second call's `math`
 * and `poolBytes` apply from then on; its `device`, where it is another one, becomes the device of new Variables.
 *
 * @throws NoWebGPUError, NoAdapterError, DeviceLostError (the application's own device is lost already), each saying
 * what can be done; ArgumentError for an option of the wrong kind.
 * @example
 * const device = await init();
 * console.log(device.adapterInfo.vendor, device.isSoftware);
 */
export function init(options: InitOptions = {}): Promise<Device> {
  const mine = lastInit.then(() => initNow(options));
  lastInit = mine.catch(() => undefined);
  return mine;
}

async function initNow(options: InitOptions): Promise<Device> {
  checkOptions(options);
  const device = await deviceFor(options);
  if (options.math !== undefined) device.math = options.math;
  if (options.poolBytes !== undefined) device.pool.setCap(options.poolBytes);
  return device;
}

/** The device there is, or a new one where that is lost or another one is wanted. */
async function deviceFor(options: InitOptions): Promise<Device> {
  const { device: wanted } = options;
  const last = lastDevice();
  if (last?.lost === null && (wanted === undefined || wanted === last.gpuDevice)) return last;
  const fresh = wanted === undefined ? await pickDevice(options) : new Device(wanted, wanted.adapterInfo);
  // A device that is lost from the start says so before it says that it has nothing to do.
  await Promise.race([fresh.gpuDevice.lost, fresh.gpuDevice.queue.onSubmittedWorkDone().catch(() => undefined)]);
  if (fresh.lost !== null) throw fresh.lost;
  setCurrentDevice(fresh);
  return fresh;
}

function checkOptions(options: InitOptions): void {
  const given: unknown = options;
  if (typeof given !== "object" || given === null) {
    throw new ArgumentError(`init takes an object of options, not ${describe(given)}`);
  }
  const { device, gpu, math, poolBytes } = options as Record<keyof InitOptions, unknown>;
  if (device !== undefined && !hasMethod(device, "createComputePipeline")) {
    throw new ArgumentError(`init: device must be a GPUDevice, not ${describe(device)}`);
  }
  if (gpu !== undefined && !hasMethod(gpu, "requestAdapter")) {
    throw new ArgumentError(`init: gpu must be a GPU object such as navigator.gpu, not ${describe(gpu)}`);
  }
  if (math !== undefined && math !== "exact" && math !== "native") {
    throw new ArgumentError(`init: math must be "exact" or "native", not ${describe(math)}`);
  }
  if (poolBytes !== undefined && !(typeof poolBytes === "number" && poolBytes >= 0)) {
    throw new ArgumentError(`init: poolBytes must be a number of bytes, not ${describe(poolBytes)}`);
  }
}

function hasMethod(value: unknown, method: string): boolean {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, method) === "function";
}

async function pickDevice({ gpu, powerPreference }: InitOptions): Promise<Device> {
  const entry = gpu ?? (globalThis.navigator as Navigator | undefined)?.gpu;
  if (entry === undefined) throw new NoWebGPUError(whyNoWebGPU());
  const adapter = await entry.requestAdapter(powerPreference === undefined ? {} : { powerPreference });
  if (adapter === null) {
    throw new NoAdapterError(
      "WebGPU is here but offers no adapter. The GPU or its driver may be blocked: look at chrome://gpu, update the " +
        "driver, or start Chrome with --enable-unsafe-webgpu to run on the processor",
    );
  }
  const { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage } = adapter.limits;
  const wanted: GPUDeviceDescriptor = {
    requiredLimits: { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage },
    requiredFeatures: adapter.features.has("timestamp-query") ? ["timestamp-query"] : [],
  };
  const gpuDevice = await adapter.requestDevice(wanted).catch((error: unknown) => {
    throw new NoAdapterError(`WebGPU's adapter gives no device: ${String(error)}`);
  });
  const device = new Device(gpuDevice, adapter.info);
  device.catchUncaptured();
  return device;
}

function whyNoWebGPU(): string {
  if ((globalThis as { isSecureContext?: boolean }).isSecureContext === false) {
    return "no WebGPU: a page gets it only over https or from localhost";
  }
  if ((globalThis as { document?: unknown }).document === undefined) {
    return (
      "no WebGPU: there is no navigator.gpu in this runtime. In Node, pass init({ gpu }) with the GPU object of the " +
      "npm package webgpu"
    );
  }
  return "no WebGPU: this browser has no navigator.gpu. Use a current Chrome, Edge, Safari or Firefox";
}
