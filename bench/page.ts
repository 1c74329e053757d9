/** The page in which all sides run; in Node, the module. */
import { measure } from "./measure.js";
import type { Adapter, Page } from "./protocol.js";

export const page: Page = {
  async adapter(): Promise<Adapter> {
    const adapter = await (navigator as { gpu?: GPU }).gpu?.requestAdapter();
    if (adapter === null || adapter === undefined) {
      throw new Error("WebGPU offers no adapter: nothing can be measured (in Chrome, see chrome://gpu)");
    }
    const { vendor, architecture, device, description } = adapter.info;
    return { vendor, architecture, device, description };
  },

  measure: (problem, effort) =>
    measure(problem, effort, (message) => {
      console.info(message);
    }),
};

Object.assign(globalThis, { bench: page });
