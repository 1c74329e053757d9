/** What the browser tells of the GPU. */
import type { Device } from "../src/index.js";

export function adapterName({ adapterInfo }: Device): string {
  const { vendor, architecture, description } = adapterInfo;
  const known = new Set([vendor, architecture, description].filter((part) => part !== ""));
  return known.size === 0 ? "a GPU that the browser doesn’t name" : [...known].join(", ");
}
