/** WebGPU's errors, which arrive later, through error scopes. */
import { OutOfMemoryError, ValidationError, type GpugradError } from "../base/errors.js";
import { isOfLoss } from "./loss.js";

/** Resolves to what went wrong, or to null. */
export type Check = Promise<GpugradError | null>;

const fine: Check = Promise.resolve(null);

/** From how many bytes on it is checked whether there was room. */
export const checkedBytes = 2 ** 16;

/**
 * Runs a call that makes something of so many bytes on the GPU. Whether it was made is known later. Something small is
 * taken for made: the two scopes would cost many times what it costs, and a GPU without room for it refuses much more.
 */
export function attempt<T>(
  gpuDevice: GPUDevice,
  bytes: number,
  make: () => T,
  noRoom: (message: string) => GpugradError,
  purpose: string,
): { made: T; check: Check } {
  if (bytes < checkedBytes) return { made: make(), check: fine };
  const invalid = (message: string): GpugradError => new ValidationError(`${purpose}: ${message}`);
  const { made, checks } = inScopes(gpuDevice, make, noRoom, invalid);
  return { made, check: checks.then(([validation, memory]) => memory ?? validation ?? null) };
}

/** Runs a call that submits recorded commands. */
export function submitting(gpuDevice: GPUDevice, submit: () => void): Check {
  const { checks } = inScopes(
    gpuDevice,
    submit,
    (message) => new OutOfMemoryError(`the GPU ran out of memory: ${message}`),
    (message) => new ValidationError(`WebGPU refused this work: ${message}`),
  );
  return checks.then(([validation, memory]) => validation ?? memory ?? null);
}

function inScopes<T>(
  gpuDevice: GPUDevice,
  call: () => T,
  noRoom: (message: string) => GpugradError,
  invalid: (message: string) => GpugradError,
): { made: T; checks: Promise<(GpugradError | null)[]> } {
  let made: T;
  let checks: Promise<(GpugradError | null)[]>;
  gpuDevice.pushErrorScope("out-of-memory");
  gpuDevice.pushErrorScope("validation");
  try {
    made = call();
  } finally {
    checks = Promise.all([pop(gpuDevice, invalid), pop(gpuDevice, noRoom)]);
  }
  return { made, checks };
}

async function pop(gpuDevice: GPUDevice, wrap: (message: string) => GpugradError): Check {
  const error = await caught(gpuDevice);
  return error === null ? null : wrap(error.message);
}

/** What the innermost scope has caught, which ends here. Null on a lost device: reads learn of that from the device itself. */
export async function caught(gpuDevice: GPUDevice): Promise<GPUError | null> {
  try {
    const error = await gpuDevice.popErrorScope();
    return error === null || isOfLoss(error) ? null : error;
  } catch {
    return null;
  }
}
