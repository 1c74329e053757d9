/** The loss of a device: known from WebGPU, told to everything that waits. */
import { DeviceLostError, isGpugradError } from "../base/errors.js";

export class Loss {
  readonly #gpuDevice: GPUDevice;
  #error: DeviceLostError | null = null;
  readonly #waiting = new Set<(error: DeviceLostError) => void>();

  constructor(gpuDevice: GPUDevice) {
    this.#gpuDevice = gpuDevice;
    void gpuDevice.lost.then((info) => {
      const detail = info.message === "" ? "" : `: ${info.message}`;
      const error = new DeviceLostError(
        `the GPU device is lost (${info.reason}${detail}); what was on it is gone. ` +
          "Call await init() for a new device and upload again what you saved with read()",
        info.reason,
      );
      this.#error = error;
      for (const reject of this.#waiting) reject(error);
      this.#waiting.clear();
    });
  }

  /** Why the device is gone, or null while it works. */
  get error(): DeviceLostError | null {
    return this.#error;
  }

  /** The promise's own outcome, or a rejection as soon as the device is lost: nothing waits for ever. */
  orLost<T>(work: Promise<T>): Promise<T> {
    if (this.#error !== null) {
      work.catch(() => undefined);
      return Promise.reject(this.#error);
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.add(reject);
      const refuse = async (error: unknown): Promise<void> => {
        // What WebGPU refuses because the device is lost, it may refuse before it tells of the loss.
        const lost = isOther(error) ? null : await this.soon();
        reject(lost ?? (error instanceof Error ? error : new Error(String(error))));
      };
      void work.then(resolve, refuse).finally(() => this.#waiting.delete(reject));
    });
  }

  /** Whether the device is lost, when WebGPU may be about to say so. */
  async soon(): Promise<DeviceLostError | null> {
    await Promise.race([this.#gpuDevice.lost, new Promise((resolve) => setTimeout(resolve, 1000))]);
    return this.#error;
  }
}

/** Whether it is known to be about something else than a loss. */
function isOther(error: unknown): boolean {
  if (isGpugradError(error)) return true;
  const { reason, message = "" } = error as Partial<GPUPipelineError>;
  return reason === "validation" && !isOfLoss({ message });
}

/**
 * Whether an error says no more than that the device is lost. By WebGPU's specification there is none then, but wgpu (Deno) has
 * error scopes, shaders and pipelines tell of it, before the device itself does.
 */
export function isOfLoss({ message }: { readonly message: string }): boolean {
  return message.includes("device is lost");
}
