/** What the library adds to an application's bundle. */
import { expect, test } from "vitest";
import { sizes } from "../../scripts/size.js";

test("the differentiator adds at most 12 kB, gzipped, and nothing where only built-in functions are imported", async () => {
  const { builtIns, own } = await sizes();
  expect(builtIns.differentiator).toBe(0);
  expect(own.differentiator).toBeLessThanOrEqual(12_000);
  // So much at least it must be, or else it wasn't told apart.
  expect(own.differentiator).toBeGreaterThan(4000);
  expect(builtIns.all).toBeLessThan(own.all - own.differentiator);
});
