/** What a device allows, and what is on it. */
import { LimitError, OtherDeviceError } from "../base/errors.js";
import { showShape, sizeOf, type Shape } from "../base/shape.js";
import type { Device } from "./device.js";
import type { Shader } from "./shader.js";

/** An array, as far as this file knows it. */
interface OnDevice {
  readonly device: Device;
  check(): void;
}

/** @throws OtherDeviceError where the array is not on this device; ReleasedError, DeviceLostError. */
export function checkDevice(array: OnDevice, device: Device, what: string): void {
  array.check();
  if (array.device !== device) {
    throw new OtherDeviceError(
      `${what}: an array of another GPU device. Read it and make it anew: new Variable(await x.read(), { shape: x.shape })`,
    );
  }
}

/** @throws LimitError where the device doesn't allow an array of this shape. */
export function checkBytes(device: Device, shape: Shape, what: string): void {
  const bytes = sizeOf(shape) * 4;
  const limit = device.maxArrayBytes;
  if (bytes > limit) {
    throw new LimitError(
      `${what}: an array of shape ${showShape(shape)} needs ${bytes} bytes, this device allows ${limit}`,
      bytes,
      limit,
    );
  }
}

/** @throws LimitError where an array is larger than one binding may be, and can't be taken in windows. */
export function checkBindable(device: Device, shape: Shape, { name, traits }: Shader): void {
  if (traits.windows === true) return;
  const most = device.limits.maxStorageBufferBindingSize;
  const bytes = sizeOf(shape) * 4;
  if (bytes <= most) return;
  throw new LimitError(
    `${name}: an array of shape ${showShape(shape)} has ${bytes} bytes, a shader of this device can bind ${most}`,
    bytes,
    most,
  );
}
