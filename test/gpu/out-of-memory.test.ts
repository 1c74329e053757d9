/** The GPU has no room: what was kept for reuse is given back first; then an error, and everything as it was before. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  add,
  exp,
  flush,
  Function,
  fuse,
  GpuArray,
  init,
  isGpugradError,
  Kernel,
  leaks,
  max,
  mean,
  OutOfMemoryError,
  square,
  stats,
  sum,
  transpose,
  Variable,
  where,
} from "../../src/index.js";
import { collect, errorOf, inTime, pause, useOwnDevice, watchForTrouble } from "../trouble.js";

/** Refuses buffers: as an implementation that throws, or as one that tells the error scope, as Chrome does. */
class Refusal {
  refused = 0;
  asked = 0;
  /** Told of each request for bytes; true refuses it. */
  rule: (bytes: number) => boolean = () => false;
  readonly uncaptured: string[] = [];
  readonly #live = new Map<GPUBuffer, number>();

  static async device(how: "throws" | "tells the scope"): Promise<[Refusal, GPUDevice]> {
    const refusal = new Refusal();
    const device = await useOwnDevice((message) => refusal.uncaptured.push(message));
    refusal.#patch(device, how);
    return [refusal, device];
  }

  get liveBytes(): number {
    return [...this.#live.values()].reduce((total, bytes) => total + bytes, 0);
  }

  #patch(device: GPUDevice, how: "throws" | "tells the scope"): void {
    const create = device.createBuffer.bind(device);
    const push = device.pushErrorScope.bind(device);
    const pop = device.popErrorScope.bind(device);
    const scopes: { filter: GPUErrorFilter; full: boolean }[] = [];
    device.createBuffer = (descriptor) => {
      this.asked++;
      if (this.rule(descriptor.size)) {
        this.refused++;
        if (how === "throws") throw new RangeError("there is no room");
        const scope = [...scopes].reverse().find(({ filter }) => filter === "out-of-memory");
        if (scope === undefined) this.uncaptured.push("out of memory");
        else scope.full = true;
        // A buffer that is none: WebGPU marks one without usage as invalid.
        push("validation");
        const invalid = create({ ...descriptor, usage: 0 });
        void pop();
        Object.defineProperty(invalid, "usage", { value: descriptor.usage });
        return invalid;
      }
      const buffer = create(descriptor);
      this.#live.set(buffer, descriptor.size);
      const destroy = buffer.destroy.bind(buffer);
      buffer.destroy = () => {
        this.#live.delete(buffer);
        destroy();
      };
      return buffer;
    };
    device.pushErrorScope = (filter) => {
      scopes.push({ filter, full: false });
      push(filter);
    };
    device.popErrorScope = () => {
      const scope = scopes.pop();
      const popped = pop();
      return scope?.full === true ? popped.then(() => new GPUOutOfMemoryError("there is no room")) : popped;
    };
  }
}

const outOfMemory = expect.objectContaining({ code: "out-of-memory" }) as Error;
let trouble: ReturnType<typeof watchForTrouble>;
let opened: GPUDevice | null = null;

async function refusing(how: "throws" | "tells the scope"): Promise<Refusal> {
  const [refusal, device] = await Refusal.device(how);
  opened = device;
  return refusal;
}

beforeEach(() => {
  trouble = watchForTrouble();
});

afterEach(async () => {
  opened?.destroy();
  await opened?.lost;
  opened = null;
  await init({ gpu: navigator.gpu });
  try {
    await trouble.expectNone();
  } finally {
    trouble.stop();
  }
});

const numbers = (count: number): Float32Array => new Float32Array(count).fill(0.5);
/** Bytes in use once the collector has found what nobody holds. */
async function settledBytes(): Promise<number> {
  let before = Infinity;
  for (let same = 0; same < 4; same++) {
    if (stats().liveBytes < before) same = 0;
    before = stats().liveBytes;
    await collect();
  }
  return before;
}

/** What a failed call made on its way is given back at once, or when the collector finds it. */
async function expectBack(bytes: number, variables: number): Promise<void> {
  for (let tries = 0; tries < 50 && (stats().liveBytes > bytes || leaks().length > variables); tries++) {
    // The collector tells between tasks.
    await pause(1);
    await collect();
  }
  expect(stats().liveBytes).toBe(bytes);
  expect(leaks()).toHaveLength(variables);
}

describe("pressure", () => {
  test("empties the pool and tries again, where the implementation throws", async () => {
    const refusal = await refusing("throws");
    const x = new Variable(numbers(1000));
    for (let k = 1; k <= 20; k++) square(new Variable(numbers(k * 4000))).dispose();
    const kept = [1, 2, 3].map((k) => new Variable(numbers(k * 10_000)));
    for (const variable of kept) variable.dispose();
    const { pooledBytes } = stats();
    expect(pooledBytes).toBeGreaterThan(200_000);
    const limit = refusal.liveBytes + 100_000;
    refusal.rule = (bytes) => refusal.liveBytes + bytes > limit;
    const y = exp(new Variable(numbers(50_000)));
    expect(refusal.refused).toBe(1);
    expect(stats().pooledBytes).toBe(0);
    expect((await y.read())[49_999]).toBeCloseTo(Math.exp(0.5), 6);
    expect((await square(x).read())[0]).toBe(0.25);
  });

  test("empties the pool where the implementation tells later, so that the next try works", async () => {
    const refusal = await refusing("tells the scope");
    for (const k of [1, 2, 3]) new Variable(numbers(k * 100_000)).dispose();
    const x = new Variable(numbers(500_000), { name: "x" });
    const limit = refusal.liveBytes + 100_000;
    refusal.rule = (bytes) => refusal.liveBytes + bytes > limit;
    const y = square(x);
    await expect(inTime(y.read(), "the read")).rejects.toThrow(outOfMemory);
    y.dispose();
    expect(stats().pooledBytes).toBe(0);
    expect(await sum(square(x)).item()).toBe(125_000);
    expect(refusal.uncaptured).toEqual([]);
  });

  test("is written to the console where nobody reads what there was no room for", async () => {
    const refusal = await refusing("tells the scope");
    const told: unknown[][] = [];
    console.error = (...parts: unknown[]) => told.push(parts);
    const x = new Variable(numbers(300_000));
    const limit = refusal.liveBytes + 100_000;
    refusal.rule = (bytes) => refusal.liveBytes + bytes > limit;
    square(square(x));
    await pause(1500);
    expect(told.map(([sentence]) => sentence)).toEqual([
      expect.stringContaining("nobody has read what it was to give"),
    ]);
    expect(told[0]?.[1]).toMatchObject({ code: "out-of-memory", message: expect.stringContaining("square") as string });
  });

  test("is remembered: from then on the pool makes room before more is asked for than there was", async () => {
    const refusal = await refusing("tells the scope");
    refusal.rule = (bytes) => refusal.liveBytes + bytes > 4_000_000;
    const large = new Variable(numbers(800_000), { requiresGrad: false });
    const refusedOne = square(large);
    await expect(inTime(refusedOne.read(), "the read")).rejects.toThrow(outOfMemory);
    for (const variable of [refusedOne, large]) variable.dispose();
    const outcomes: string[] = [];
    for (let k = 0; k < 40; k++) {
      const x = new Variable(numbers(100_000 + 10_000 * (k % 20)), { requiresGrad: false });
      const y = square(x);
      const [reading] = await Promise.allSettled([y.read()]);
      outcomes.push(reading.status);
      for (const variable of [y, x]) variable.dispose();
    }
    // What was refused first was far too much: it may take one more refusal to know better.
    expect(outcomes.filter((outcome) => outcome === "rejected").length).toBeLessThanOrEqual(2);
    expect(outcomes.slice(20)).not.toContain("rejected");
  });

  test("while reading is survived: the read tries again when the pool is empty", async () => {
    const refusal = await refusing("tells the scope");
    const x = new Variable(numbers(100_000));
    new Variable(numbers(200_000)).dispose();
    const limit = refusal.liveBytes + 100_000;
    refusal.rule = (bytes) => refusal.liveBytes + bytes > limit;
    expect((await inTime(x.read(), "the read"))[99_999]).toBe(0.5);
    expect(refusal.refused).toBe(1);
  });
});

describe("no room at all", () => {
  test.each(["throws", "tells the scope"] as const)(
    "an implementation that %s: the error has what was asked for and what is live, and names who asked",
    async (how) => {
      const refusal = await refusing(how);
      const x = new Variable(numbers(1000));
      const healthy = exp(x);
      flush();
      const { liveBytes } = stats();
      refusal.rule = (bytes) => bytes > 4096;
      const error = await errorOf(() => new Variable(x.data).broadcastTo([32, 1000]).read());
      expect(error).toBeInstanceOf(OutOfMemoryError);
      expect(error).toMatchObject({ code: "out-of-memory", asked: 131_072, live: liveBytes });
      expect(String(error)).toMatch(/131072 bytes/);
      expect(String(error)).toMatch(new RegExp(`${liveBytes} bytes are in use`));
      expect(String(error)).toMatch(/copy_forward/);
      expect((await inTime(healthy.read(), "a healthy read"))[999]).toBeCloseTo(Math.exp(0.5), 6);
      expect((await inTime(square(x).read(), "smaller work"))[999]).toBe(0.25);
      expect(refusal.uncaptured).toEqual([]);
    },
  );

  test("a large array that is refused takes no other of the same task along", async () => {
    const refusal = await refusing("tells the scope");
    const x = new Variable(numbers(1000));
    refusal.rule = (bytes) => bytes > 2 ** 23;
    const before = square(x);
    const refused = exp(square(new Variable(numbers(2 ** 22))).add(x.data.reshape([1000, 1]).size));
    const after = exp(before);
    const readings = await inTime(Promise.allSettled([before, refused, after].map((y) => y.read())), "the reads");
    expect(readings.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(readings[1]).toMatchObject({ reason: { code: "out-of-memory" } });
    expect(refusal.uncaptured).toEqual([]);
  });

  // Nobody watches when a small buffer is made: which one it was is not known, but none of them may be used again.
  test.each(["an array", "a result", "a constant's block", "the buffer to read with"])(
    "a small buffer that is refused, %s: a typed error; what was there before and what comes after works",
    async (which) => {
      const refusal = await refusing("tells the scope");
      const x = new Variable(numbers(1000));
      expect(await square(x).read()).toEqual(numbers(1000).fill(0.25));
      const refuseOne = (at: number): void => {
        let left = at;
        refusal.rule = () => left-- === 0;
      };
      const works: Record<string, (at: number) => Variable> = {
        "an array": () => square(new Variable(numbers(3000))),
        "a result": () => square(exp(x)),
        "a constant's block": (at: number) => x.mul(1.25 + at),
        "the buffer to read with": () => x.sum(),
      };
      const work = works[which]!;
      // Each of the first buffers that this needs, once.
      for (let at = 0; at < 3; at++) {
        refuseOne(at);
        const outcome = await inTime(Promise.allSettled([work(at).read()]), "the read").then(([only]) => only);
        refusal.rule = () => false;
        if (outcome.status === "rejected") expect(isGpugradError(outcome.reason)).toBe(true);
        else expect(outcome.value.every(Number.isFinite)).toBe(true);
        const again = await Promise.all([
          work(at).read(),
          square(x).read(),
          new Variable(numbers(3000)).read(),
          x.read(),
        ]);
        expect(again.slice(1)).toEqual([numbers(1000).fill(0.25), numbers(3000), numbers(1000)]);
        expect(again[0].every((value) => value > 0)).toBe(true);
      }
      expect(refusal.refused).toBeGreaterThan(0);
    },
  );
});

class Composite extends Function {
  override forward(x: GpuArray) {
    return exp(square(x)).add(x);
  }
  override backward(gy: Variable) {
    return exp(square(this.input)).mul(this.input).mul(2).add(1).mul(gy);
  }
}

const pair = new Kernel({
  name: "pair",
  wgsl: `
    @group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    @group(0) @binding(2) var<storage, read_write> z: array<f32>;
    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u) {
      if (id.x < arrayLength(&y)) { y[id.x] = x[id.x]; z[id.x] = -x[id.x]; }
    }`,
  bindings: ["input", "output", "output"],
});

/** The result, or the code of what is thrown; the error itself would hold what is on the stack. */
function attempt<T>(f: () => T): T | string {
  try {
    return f();
  } catch (error) {
    return isGpugradError(error) ? error.code : String(error);
  }
}

function giveBack(result: Variable | GpuArray, x: Variable): void {
  if (result instanceof GpuArray) result.release();
  else if (result !== x) result.dispose();
}

/** The numbers that an operation gives; nothing of it is held afterwards. */
async function readOnce(operation: (x: Variable) => Variable | GpuArray, x: Variable): Promise<Float32Array> {
  const result = operation(x);
  const values = await result.read();
  giveBack(result, x);
  return values;
}

/** Each takes [64, 300] numbers of 0.5, in a Variable, and may fail at any buffer that it needs. */
const operations: Record<string, (x: Variable) => Variable | GpuArray> = {
  upload: () => new Variable(numbers(20_000)),
  nested: () =>
    new Variable([
      [1, 2],
      [3, 4],
    ]),
  square: (x) => square(x),
  broadcast: (x) => add(x, [[...numbers(300)]]),
  "a Function made of others": (x) => new Composite().call(x),
  fused: (x) => fuse((a) => exp(square(a)))(x),
  sum: (x) => sum(x),
  "sum along columns": (x) => sum(x, 0),
  "max of several groups": (x) => max(x.reshape([8, 8, 300]), [0, 2]),
  mean: (x) => mean(x),
  transpose: (x) => transpose(x),
  where: (x) => where(x.greater(0), x, 1),
  Kernel: (x) => pair.run({ inputs: [x], outputs: [x.shape, x.shape], invocations: x.size })[1]!,
  assign: (x) => x.assign(numbers(x.size)),
  detach: (x) => exp(x.detach()),
};

const passes: Record<string, (x: Variable) => Variable> = {
  chain: (x) => sum(square(exp(square(x)))),
  shared: (x) => sum(exp(x).mul(x).add(x)),
  broadcast: (x) => mean(x.mul(x.sum(0))),
  composite: (x) => new Composite().call(x),
  extremum: (x) => max(square(x), 1),
};

describe("wherever it happens", () => {
  test.each(Object.keys(operations))("%s: the error, and everything as before; then it works", async (name) => {
    const operation = operations[name]!;
    const refusal = await refusing("throws");
    await init({ poolBytes: 0 });
    const x = new Variable(numbers(64 * 300), { shape: [64, 300] });
    const expected = await readOnce(operation, x);
    const before = await settledBytes();
    const held = leaks().length;
    /** What the operation gives where the buffer after the k-th is refused. A function, since what is on its stack is held. */
    const refuseFrom = async (k: number): Promise<Float32Array | string> => {
      let left = k;
      refusal.rule = () => left-- <= 0;
      const result = attempt(() => operation(x));
      refusal.rule = () => false;
      if (typeof result === "string") return result;
      const values = await result.read();
      giveBack(result, x);
      return values;
    };
    let refusals = 0;
    for (let outcome = await refuseFrom(0); outcome !== expected; outcome = await refuseFrom(refusals)) {
      if (typeof outcome !== "string") {
        expect(outcome).toEqual(expected);
        break;
      }
      expect(outcome).toBe("out-of-memory");
      await expectBack(before, held);
      refusals++;
    }
    expect(refusals).toBeGreaterThan(0);
    await expectBack(before, held);
    expect(refusal.uncaptured).toEqual([]);
  });

  test.each(Object.keys(passes))("backward of %s: no gradient changes until all have", async (name) => {
    const pass = passes[name]!;
    const refusal = await refusing("throws");
    await init({ poolBytes: 0 });
    const x = new Variable(numbers(64 * 300), { shape: [64, 300] });
    const w = new Variable(numbers(300), { name: "w" });
    const y = pass(x.mul(w));
    y.backward({ retainGrad: false });
    const [gx, gw] = [x.grad!, w.grad!];
    const once = await Promise.all([gx.read(), gw.read()]);
    const before = await settledBytes();
    const held = leaks().length;
    for (let k = 0; ; k++) {
      let left = k;
      refusal.rule = () => left-- <= 0;
      const code = attempt(() => y.backward({ retainGrad: false }));
      refusal.rule = () => false;
      if (code !== undefined) {
        expect(code).toBe("out-of-memory");
        expect(x.grad).toBe(gx);
        expect(w.grad).toBe(gw);
        await expectBack(before, held);
        continue;
      }
      expect(k).toBeGreaterThan(2);
      break;
    }
    const twice = await Promise.all([x.grad!.read(), w.grad!.read()]);
    expect(twice[0][5]).toBe(2 * once[0][5]!);
    expect(twice[1][5]).toBe(2 * once[1][5]!);
    expect(refusal.uncaptured).toEqual([]);
  });

  // Small buffers are taken for made: 64 KiB is where gpugrad begins to ask.
  const small = ["nested", "sum", "sum along columns", "max of several groups", "mean"];
  const large = Object.keys(operations).filter((name) => !small.includes(name));
  test.each(large)("%s, told later: the read rejects, and the next try works", async (name) => {
    const operation = operations[name]!;
    const refusal = await refusing("tells the scope");
    const x = new Variable(numbers(64 * 300), { shape: [64, 300] });
    const expected = await readOnce(operation, x);
    await init({ poolBytes: 0 });
    await init({ poolBytes: 2 ** 30 });
    const before = await settledBytes();
    /** The outcome of a read where the k-th buffer is refused; null where fewer are needed. */
    const refuse = async (k: number): Promise<unknown> => {
      let left = k;
      const seen = { refused: false };
      refusal.rule = (bytes) => {
        const now = bytes >= 2 ** 16 && left-- === 0;
        seen.refused ||= now;
        return now;
      };
      const result = operation(x);
      refusal.rule = () => false;
      const [reading] = await Promise.allSettled([inTime(result.read(), "the read")]);
      giveBack(result, x);
      if (result === x) x.assign(numbers(x.size));
      return seen.refused ? reading : null;
    };
    let k = 0;
    for (let reading = await refuse(k); reading !== null; reading = await refuse(k)) {
      expect(reading).toMatchObject({ status: "rejected", reason: { code: "out-of-memory" } });
      expect(await readOnce(operation, x)).toEqual(expected);
      k++;
    }
    expect(k).toBeGreaterThan(0);
    await expectBack(before, 1);
    expect(refusal.uncaptured).toEqual([]);
  });
});

test("a real allocation: as much as the adapter gives, or 8 GiB; an error if it refuses, and smaller work still runs", async () => {
  const device = await init();
  const count = Math.min(2 ** 28, Math.floor(device.maxArrayBytes / 4));
  const arrays: GpuArray[] = [];
  let refusal: unknown = null;
  for (let bytes = 0; bytes + count * 4 <= 2 ** 33 && refusal === null; bytes += count * 4) {
    try {
      const array = GpuArray.allocate(device, [count], "greedy");
      arrays.push(array);
      // The GPU's answer is known with that of the next batch.
      await square(3).item();
      refusal = array.hold().storage.failure;
    } catch (error) {
      refusal = error;
    }
  }
  if (refusal !== null) expect(refusal).toEqual(outOfMemory);
  expect(await square(3).item()).toBe(9);
  for (const array of arrays) array.release();
  await init({ poolBytes: 0 });
  await init({ poolBytes: 2 ** 30 });
  expect(stats().pooledBytes).toBe(0);
  expect((await square(new Variable(numbers(1000))).read())[999]).toBe(0.25);
});
