import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { currentDevice } from "../../src/gpu/current.js";
import { MemoryPressure } from "../../src/gpu/pressure.js";
import { GpuArray, init, square, stats, sum, Variable } from "../../src/index.js";
import { pause } from "../trouble.js";

const mib = 2 ** 20;
const n = 8 * mib;
const live = (): number => stats().liveBytes;
const provoked = (): number => currentDevice().pressure.provoked;

beforeAll(async () => {
  await init();
});

beforeEach(async () => {
  for (let before = Infinity; live() < before;) {
    before = live();
    (globalThis as unknown as { gc: () => void }).gc();
    await pause(50);
  }
});

afterAll(async () => {
  await init({ poolBytes: 0 });
  await init({ poolBytes: 2 ** 30 });
});

/** A leaf of 32 MiB whose numbers are all 0.5. */
function leaf(): Variable {
  const array = GpuArray.constant(0.5, [n]);
  array.hold();
  return new Variable(array);
}

/** The most memory in use while `step` is run so often, as seen before each wait. */
async function most(steps: number, step: (see: () => void) => Promise<void>): Promise<number> {
  let bytes = 0;
  for (let k = 0; k < steps; k++) {
    await step(() => {
      bytes = Math.max(bytes, live());
    });
  }
  return bytes;
}

test("graphs that are forgotten after a read each are found before they are more than twice what is alive and 256 MiB", async () => {
  const w = leaf();
  const held = square(w);
  const before = live();
  const counted = provoked();
  const bytes = await most(24, async (see) => {
    const loss = sum(square(w));
    loss.backward();
    w.clearGrad();
    see();
    expect(await loss.item()).toBe(n / 4);
  });
  // A graph and its gradient are alive too, 64 MiB, and as much is made until the next wait.
  expect(bytes).toBeLessThanOrEqual(before + 2 * 64 * mib + 256 * mib);
  expect(provoked()).toBeGreaterThan(counted);
  expect((await held.read()).every((value) => value === 0.25)).toBe(true);
});

test("what waits for the GPU is relieved as well", async () => {
  const w = leaf();
  const counted = provoked();
  const before = live();
  const bytes = await most(20, async (see) => {
    square(w.add(1));
    see();
    await currentDevice().finished();
  });
  expect(bytes).toBeLessThanOrEqual(before + 2 * 64 * mib + 256 * mib);
  expect(provoked()).toBeGreaterThan(counted);
});

test("and so is what waits for nothing but a task of its own, in a while", async () => {
  const w = leaf();
  const before = live();
  await most(20, async () => {
    square(w.add(1));
    await pause(20);
  });
  // Steps go on while the collector has not yet told what it found, so only what is left is bounded.
  const bound = before + 64 * mib + 256 * mib;
  for (let k = 0; k < 200 && live() > bound; k++) await pause(20);
  expect(live()).toBeLessThanOrEqual(bound);
});

test("a program that disposes is never interrupted", async () => {
  const w = leaf();
  const counted = provoked();
  await most(20, async () => {
    using loss = sum(square(w));
    loss.backward();
    w.clearGrad();
    await loss.item();
  });
  expect(provoked()).toBe(counted);
});

test("what is alive stays, and is looked through once for each 256 MiB that it grows", async () => {
  const counted = provoked();
  const w = leaf();
  const held: Variable[] = [];
  for (let k = 0; k < 20; k++) {
    held.push(w.mul(k));
    await held[k]?.data.device.finished();
  }
  for (let k = 0; k < 10; k++) {
    using y = square(w);
    await y.data.device.finished();
  }
  expect(provoked() - counted).toBeLessThanOrEqual(3);
  for (const k of [0, 9, 19]) expect((await held[k]?.read())?.[n - 1]).toBe(k / 2);
});

test("a collection follows what is in use, not what was: again only after 256 MiB more", async () => {
  let bytes = 256 * mib;
  const pressure = new MemoryPressure(() => bytes);
  for (const [more, count] of [
    [0, 0],
    [1, 1],
    [256 * mib, 1],
    [1, 2],
  ] as const) {
    bytes += more;
    pressure.check();
    pressure.check();
    await pressure.relief;
    expect(pressure.provoked).toBe(count);
    expect(pressure.relief).toBeNull();
  }
});

test("a runtime that never tells of what it found holds nobody up for ever", async () => {
  class Silent {
    readonly register = (): void => undefined;
  }
  const { FinalizationRegistry: original } = globalThis;
  try {
    globalThis.FinalizationRegistry = Silent as unknown as typeof FinalizationRegistry;
    const pressure = new MemoryPressure(() => 2 ** 29);
    pressure.check();
    await pressure.relief;
    pressure.check();
    expect(pressure.provoked).toBe(1);
  } finally {
    globalThis.FinalizationRegistry = original;
  }
});
