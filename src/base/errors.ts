/**
 * The errors gpugrad throws, or rejects a read with. Each has a stable `code`; branch on that, since class identity
 * is lost when two copies of the library are on one page. Bad arguments are TypeErrors and RangeErrors as well.
 *
 * @example
 * try {
 *   await y.read();
 * } catch (error) {
 *   if (isGpugradError(error) && error.code === "device-lost") await init();
 *   else throw error;
 * }
 */
export type ErrorCode =
  | "not-initialized"
  | "no-webgpu"
  | "no-adapter"
  | "device-lost"
  | "out-of-memory"
  | "limit-exceeded"
  | "invalid-argument"
  | "shape-mismatch"
  | "released"
  | "other-device"
  | "wgsl"
  | "not-implemented"
  | "function-reused"
  | "not-differentiable"
  | "wrong-gradient"
  | "undecided-gradient"
  | "not-fusable"
  | "modified"
  | "validation";

/** Anything gpugrad throws: an Error with a stable code. */
export interface GpugradError extends Error {
  /** Says which kind it is, the same in every version and copy of the library. */
  readonly code: ErrorCode;
}

const brand = Symbol.for("gpugrad.error");

/**
 * True for an error that gpugrad made, in this copy of the library or another one on the page.
 *
 * @example
 * try {
 *   reshape([1, 2, 3], [2]);
 * } catch (error) {
 *   if (!isGpugradError(error)) throw error;
 *   console.log(error.code); // "shape-mismatch"
 * }
 */
export function isGpugradError(error: unknown): error is GpugradError {
  return error instanceof Error && brand in error;
}

/** The class of an error with this code, above one of the language's own. Minified or not, it is called by its name. */
function coded<const Code extends ErrorCode>(Base: new (message: string) => Error, name: string, code: Code) {
  return class extends Base implements GpugradError {
    /** Says which kind it is: branch on this. */
    readonly code: Code = code;

    constructor(message: string) {
      super(message);
      Object.defineProperty(this, "name", { value: name, configurable: true });
      Object.defineProperty(this, brand, { value: true });
    }
  };
}

/** An operation came before `await init()`. */
export class NotInitializedError extends coded(Error, "NotInitializedError", "not-initialized") {}

/** This browser or runtime has no WebGPU. */
export class NoWebGPUError extends coded(Error, "NoWebGPUError", "no-webgpu") {}

/** WebGPU is there, but it offered no adapter. */
export class NoAdapterError extends coded(Error, "NoAdapterError", "no-adapter") {}

/** The GPU device is gone, and with it everything that was on it. */
export class DeviceLostError extends coded(Error, "DeviceLostError", "device-lost") {
  /** WebGPU's own: "unknown" or "destroyed". */
  readonly reason: string;
  constructor(message: string, reason: string) {
    super(message);
    this.reason = reason;
  }
}

/** There was no room for an array. */
export class OutOfMemoryError extends coded(Error, "OutOfMemoryError", "out-of-memory") {
  /** Bytes of the array; null where that isn't known. */
  readonly asked: number | null;
  /** Bytes of all buffers in use then; null where that isn't known. */
  readonly live: number | null;
  constructor(message: string, asked: number | null = null, live: number | null = null) {
    super(message);
    this.asked = asked;
    this.live = live;
  }
}

/** More than the device allows was asked for. */
export class LimitError extends coded(RangeError, "LimitError", "limit-exceeded") {
  /** What was asked for, in the unit that the message names: mostly bytes. */
  readonly asked: number;
  /** The most that the device allows, in the same unit. */
  readonly limit: number;
  constructor(message: string, asked: number, limit: number) {
    super(message);
    this.asked = asked;
    this.limit = limit;
  }
}

/** An argument is of a kind that can't be used here. */
export class ArgumentError extends coded(TypeError, "ArgumentError", "invalid-argument") {}

/** Shapes that don't fit each other, or numbers that are no shape. */
export class ShapeError extends coded(RangeError, "ShapeError", "shape-mismatch") {}

/** A Variable or array was used after its memory was released. */
export class ReleasedError extends coded(TypeError, "ReleasedError", "released") {}

/** Data of one device met an operation on another. */
export class OtherDeviceError extends coded(TypeError, "OtherDeviceError", "other-device") {}

/** The WGSL compiler, or gpugrad's own look at the source, found a mistake. */
export class WgslError extends coded(Error, "WgslError", "wgsl") {
  /** The line in the user's source, counted from 1; null where none is to blame. */
  readonly line: number | null;
  constructor(message: string, line: number | null = null) {
    super(message);
    this.line = line;
  }
}

/** A subclass of Function lacks a method it needs. */
export class NotImplementedError extends coded(Error, "NotImplementedError", "not-implemented") {}

/** One Function instance is one node of the graph, and was called a second time. */
export class FunctionReusedError extends coded(Error, "FunctionReusedError", "function-reused") {}

/** Data that a graph still needs was changed in place. */
export class ModifiedError extends coded(Error, "ModifiedError", "modified") {}

/** A gradient was asked of something that has none. */
export class NotDifferentiableError extends coded(Error, "NotDifferentiableError", "not-differentiable") {}

/** A function can't be fused: the message says which part of it, and why. */
export class FuseError extends coded(Error, "FuseError", "not-fusable") {}

/** What a `gradCheck` found: where, and the two numbers that should agree. */
export interface GradCheckMismatch {
  /** Which input, counted from 0. From order 2 on, the gradients that backwards were given follow the inputs. */
  readonly input: number;
  /** Which of its elements, in row-major order; null for a random direction. */
  readonly element: number | null;
  /** What the backward gives. */
  readonly gradient: number;
  /** What differences of the function's values give. */
  readonly difference: number;
}

/** A gradient disagrees with differences of values. */
export class GradCheckError extends coded(Error, "GradCheckError", "wrong-gradient") {
  /** Where it is, and the two numbers. */
  readonly mismatch: GradCheckMismatch;
  constructor(message: string, mismatch: GradCheckMismatch) {
    super(message);
    this.mismatch = mismatch;
  }
}

/** Of the derivatives that a `gradCheck` compared, float32 could decide none: that is no pass. */
export class UndecidedError extends coded(Error, "UndecidedError", "undecided-gradient") {}

/** WebGPU refused what gpugrad recorded: a bug of gpugrad's, or of a Kernel of the application's own. */
export class ValidationError extends coded(Error, "ValidationError", "validation") {}
