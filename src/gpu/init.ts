/** Picking a device, once: through an adapter, or the application's own. */
import { hasMethod } from "../base/arguments.js";
import { keepCallSites } from "../base/call-sites.js";
import { ArgumentError, DeviceLostError, NoAdapterError, NoWebGPUError } from "../base/errors.js";
import { describe } from "../base/describe.js";
import type { MathMode } from "../wgsl/math.js";
import { lastDevice, setCurrentDevice } from "./current.js";
import { Device } from "./device.js";

/** Of `init`: which device, and whose math. */
export interface InitOptions {
  /** The application's own device. gpugrad works on it and never destroys it. */
  readonly device?: GPUDevice;
  /** The entry point to WebGPU where it isn't `navigator.gpu`. In Node, `init` of `gpugrad/node` finds it. */
  readonly gpu?: GPU;
  /** Passed to `requestAdapter`; counts only when a device is picked. */
  readonly powerPreference?: GPUPowerPreference;
  /** "exact" (the default) for gpugrad's own functions, "native" for the driver's. */
  readonly math?: MathMode;
  /** The most bytes of released buffers that are kept for reuse. Default: 1 GiB. */
  readonly poolBytes?: number;
  /**
   * What the buffers of arrays can be used for besides STORAGE, COPY_SRC and COPY_DST: `GPUBufferUsage.VERTEX`, INDEX, UNIFORM,
   * INDIRECT, or several of them. It counts for arrays that are made from then on.
   */
  readonly usage?: GPUBufferUsageFlags;
  /**
   * True: each call keeps where it was made, from then on. What is told later (a mistake in WGSL, out of memory, what WebGPU
   * refuses, `findNonFinite`) then names that line, in the message and in the stack of the error's `cause`; of a gradient, the
   * line of the function that it is of. It costs some microseconds and a stack for each call. Default false: nothing is kept.
   */
  readonly debug?: boolean;
}

/** COPY_SRC, COPY_DST, INDEX, VERTEX, UNIFORM, STORAGE, INDIRECT: not what is mapped, nor queries. */
const anyUsage = 0x1fc;

let lastInit: Promise<unknown> = Promise.resolve();

type Picking = Pick<InitOptions, "gpu" | "powerPreference">;
/**
 * By what the last device was picked: it counts for the next one, too. And it holds what WebGPU was entered by: in Node, a
 * device dies with that object, and takes the process along.
 */
let picking: Picking = {};

/** The devices that aren't the application's own. */
const picked = new WeakSet<GPUDevice>();

/**
 * Picks an adapter and a device, or takes the application's. Call it once and await it before anything else. Calling
 * it again, even at the same time, gives the same device; after a device was lost, a new one, picked by the options that
 * were given before (`gpu`, `powerPreference`, `math`, `poolBytes`, `usage`, `debug`). A second call's `math`, `poolBytes`, `usage` and `debug` apply from then
 * on; its `device`, where it is another one, becomes the device of new Variables.
 *
 * @throws NoWebGPUError, NoAdapterError, DeviceLostError (the application's own device is lost, and no other one is
 * given), each saying what can be done; ArgumentError for an option of the wrong kind.
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
  const before = lastDevice();
  const device = await deviceFor(options);
  const isNew = device !== before;
  const old = isNew ? before : null;
  const { math = old?.math, poolBytes = old?.pool.cap, usage = old?.pool.extraUsage } = options;
  if (math !== undefined) device.math = math;
  if (poolBytes !== undefined) device.pool.setCap(poolBytes);
  if (usage !== undefined) device.pool.extraUsage = usage;
  if (options.debug !== undefined) keepCallSites(options.debug);
  return device;
}

/** The device there is, or a new one where that is lost or another one is wanted. */
async function deviceFor(options: InitOptions): Promise<Device> {
  const { device: wanted } = options;
  const last = lastDevice();
  if (last?.lost === null && (wanted === undefined || wanted === last.gpuDevice)) return last;
  if (last !== null && wanted === undefined && options.gpu === undefined && !picked.has(last.gpuDevice)) {
    throw new DeviceLostError(
      "the device that the application gave to init is lost: give its new one, init({ device }), or have gpugrad pick " +
        "one, init({ gpu: navigator.gpu })",
      last.lost?.reason ?? "unknown",
    );
  }
  const by = { ...picking, ...given(options) };
  const fresh = wanted === undefined ? await pickDevice(by) : new Device(wanted, infoOf(wanted));
  // A device that is lost from the start says so before it says that it has nothing to do.
  await Promise.race([fresh.gpuDevice.lost, fresh.gpuDevice.queue.onSubmittedWorkDone().catch(() => undefined)]);
  if (fresh.lost !== null) throw fresh.lost;
  picking = by;
  setCurrentDevice(fresh);
  return fresh;
}

/** Those of the options for picking that are given. */
function given({ gpu, powerPreference }: InitOptions): Picking {
  return { ...(gpu === undefined ? {} : { gpu }), ...(powerPreference === undefined ? {} : { powerPreference }) };
}

function checkOptions(options: InitOptions): void {
  const given: unknown = options;
  if (typeof given !== "object" || given === null) {
    throw new ArgumentError(`init takes an object of options, not ${describe(given)}`);
  }
  const { device, gpu, math, poolBytes, usage, debug } = options as Record<keyof InitOptions, unknown>;
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
  if (debug !== undefined && typeof debug !== "boolean") {
    throw new ArgumentError(`init: debug must be true or false, not ${describe(debug)}`);
  }
  if (usage !== undefined && !(Number.isInteger(usage) && ((usage as number) & ~anyUsage) === 0)) {
    throw new ArgumentError(
      "init: usage must be flags of GPUBufferUsage that arrays can have (VERTEX, INDEX, UNIFORM, INDIRECT, STORAGE, " +
        `COPY_SRC, COPY_DST), not ${typeof usage === "number" ? usage : describe(usage)}`,
    );
  }
}

async function pickDevice({ gpu, powerPreference }: Picking): Promise<Device> {
  const entry = gpu ?? (globalThis.navigator as Navigator | undefined)?.gpu;
  if (entry === undefined) throw new NoWebGPUError(whyNoWebGPU());
  const adapter = await entry.requestAdapter(powerPreference === undefined ? {} : { powerPreference });
  if (adapter === null) {
    throw new NoAdapterError(
      "WebGPU is here but offers no adapter. The GPU or its driver may be blocked, missing or old: update the driver. Chrome " +
        "says why at chrome://gpu, and started with --enable-unsafe-webgpu it runs on the processor; Firefox says why at " +
        "about:support; Deno needs a Vulkan driver on Linux",
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
  picked.add(gpuDevice);
  const device = new Device(gpuDevice, infoOf(gpuDevice, adapter));
  device.catchUncaptured();
  return device;
}

/** What is known of the adapter, which not every browser tells of a device (Chrome from 132 on). */
function infoOf(device: GPUDevice, adapter?: GPUAdapter): GPUAdapterInfo {
  const told = (adapter?.info ?? device.adapterInfo) as GPUAdapterInfo | undefined;
  const unknown = { vendor: "", architecture: "", device: "", description: "", isFallbackAdapter: false };
  return told ?? (unknown as GPUAdapterInfo);
}

function whyNoWebGPU(): string {
  if ((globalThis as { isSecureContext?: boolean }).isSecureContext === false) {
    return "no WebGPU: a page gets it only over https or from localhost";
  }
  if ((globalThis as { document?: unknown }).document === undefined) {
    return (
      'no WebGPU: there is no navigator.gpu in this runtime. In Node, import { init } from "gpugrad/node", and install ' +
      "the npm package webgpu. In Deno, start it with --unstable-webgpu"
    );
  }
  return "no WebGPU: this browser has no navigator.gpu. Use a current Chrome, Edge, Safari or Firefox";
}
