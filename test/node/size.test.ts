/** What the library adds to an application's bundle, and the package's size: scripts/size.js has the budgets. */
import { expect, test } from "vitest";
import { differentiatorBudget, measured, packed, packedSize, sizes } from "../../scripts/size.js";

test("bundles are within the budget, and what isn't imported isn't in them", async () => {
  const { bundles, differentiator } = await sizes();
  for (const [name, { budget }] of Object.entries(measured)) {
    const size = bundles[name as keyof typeof measured];
    expect(size, name).toBeLessThanOrEqual(budget);
    // What has become so much smaller lowers its budget.
    expect(size, name).toBeGreaterThan(0.9 * budget);
  }
  expect(differentiator.small).toBe(0);
  expect(differentiator.own).toBeLessThanOrEqual(differentiatorBudget);
  // So much at least it must be, or else it wasn't told apart.
  expect(differentiator.own).toBeGreaterThan(4);
});

test("the package is within its budget", () => {
  expect(packedSize()).toBeLessThanOrEqual(packed.budget);
});
