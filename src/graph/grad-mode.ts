/** Whether operations remember how they were made. */
import { Setting } from "./setting.js";

const enabled = new Setting(true);

/** False inside `noGrad`, and while a backward pass runs that need not be differentiated itself. */
export function gradEnabled(): boolean {
  return enabled.current;
}

/** Runs `f` with remembering switched on or off, and switches back whatever happens. */
export function withGrad<T>(on: boolean, f: () => T): T {
  return enabled.during(on, f);
}
