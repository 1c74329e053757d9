/** What a page would complain of behind a test's back, and promises that must not hang. */
import { afterEach, beforeEach, expect } from "vitest";
import { init } from "../src/index.js";

/**
 * Whether the tests run in Deno, on wgpu: it gives an adapter's device again and again, and keeps a buffer's first label; naga
 * doesn't compute `determinant` of constants, which is how tests make a mistake in WGSL that only the compiler finds.
 */
export const isWgpu = "Deno" in globalThis;

/**
 * Collects unhandled rejections, uncaught errors, and what is written to the console as an error or a warning, other than what
 * is expected.
 */
export function watchForTrouble(expected?: RegExp): { expectNone(): Promise<void>; stop(): void } {
  const found: string[] = [];
  const onRejection = (event: PromiseRejectionEvent): void => {
    event.preventDefault();
    found.push(`unhandled rejection: ${String((event.reason as Error | undefined)?.stack ?? event.reason)}`);
  };
  const onError = (event: ErrorEvent): void => {
    event.preventDefault();
    found.push(`uncaught: ${event.message}`);
  };
  const { error, warn } = console;
  console.error = (...parts: unknown[]) => found.push(`console.error: ${parts.map(String).join(" ")}`);
  console.warn = (...parts: unknown[]) => found.push(`console.warn: ${parts.map(String).join(" ")}`);
  globalThis.addEventListener("unhandledrejection", onRejection);
  globalThis.addEventListener("error", onError);
  return {
    async expectNone() {
      // A rejection is reported as unhandled when the task it came in has ended.
      await pause(50);
      expect(found.splice(0).filter((one) => expected?.test(one) !== true)).toEqual([]);
    },
    stop() {
      Object.assign(console, { error, warn });
      globalThis.removeEventListener("unhandledrejection", onRejection);
      globalThis.removeEventListener("error", onError);
    },
  };
}

/** Fails every test of a file behind which a page would complain. */
export function expectNoTrouble(expected?: RegExp): void {
  let trouble: ReturnType<typeof watchForTrouble>;
  beforeEach(() => {
    trouble = watchForTrouble(expected);
  });
  afterEach(async () => {
    try {
      await trouble.expectNone();
    } finally {
      trouble.stop();
    }
  });
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** The promise's outcome; an error where it has none in time. */
export function inTime<T>(promise: Promise<T>, what: string, milliseconds = 20_000): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} has no outcome after ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** A device of the test's own, which it may destroy; made gpugrad's current one. Uncaptured errors of it are told. */
export async function useOwnDevice(onUncaptured?: (message: string) => void): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter();
  if (adapter === null) throw new Error("no adapter");
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const device = await adapter.requestDevice({
    requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
    requiredFeatures: adapter.features.has("timestamp-query") ? ["timestamp-query"] : [],
  });
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    onUncaptured?.(event.error.message);
  });
  await init({ device });
  return device;
}

/** What a call throws, or a promise rejects with. */
export async function errorOf(provoke: () => unknown): Promise<unknown> {
  try {
    await inTime(Promise.resolve(provoke()), "the call");
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** Lets the collector find what was forgotten. */
export async function collect(): Promise<void> {
  (globalThis as unknown as { gc: () => void }).gc();
  await pause(20);
}
