/** Errors of the GPU made anew: one of them may reach many results and reads, each with words and a stack of its own. */
import { DeviceLostError, OutOfMemoryError, ValidationError, WgslError, type GpugradError } from "./errors.js";

/** The same error of the GPU made anew, with its own stack, and another message if given; its cause is the one before. */
export function remade(error: GpugradError, message = error.message): GpugradError {
  const again = copyOf(error, message);
  if (again !== error) Object.defineProperty(again, "cause", { value: error, configurable: true, writable: true });
  return again;
}

function copyOf(error: GpugradError, message: string): GpugradError {
  if (error instanceof OutOfMemoryError) return new OutOfMemoryError(message, error.asked, error.live);
  if (error instanceof ValidationError) return new ValidationError(message);
  if (error instanceof WgslError) return new WgslError(message, error.line);
  if (error instanceof DeviceLostError) return new DeviceLostError(message, error.reason);
  return error;
}
