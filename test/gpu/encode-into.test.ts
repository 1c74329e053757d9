/** Commands among an application's own, in its encoder and its order; and what its buffers can be used for. */
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  elementwise,
  encodeInto,
  exp,
  flush,
  fuse,
  GpuArray,
  init,
  Kernel,
  mean,
  square,
  stats,
  sum,
  Variable,
  type Device,
} from "../../src/index.js";
import { errorOf, expectNoTrouble, isWgpu, pause, useOwnDevice } from "../trouble.js";

let gpuDevice: GPUDevice;
let device: Device;
const uncaptured: string[] = [];

beforeAll(async () => {
  gpuDevice = await useOwnDevice((message) => uncaptured.push(message));
  device = await init();
});

beforeEach(() => {
  uncaptured.splice(0);
});

afterAll(async () => {
  await init({ gpu: navigator.gpu });
});

expectNoTrouble();

/** What a buffer holds at this place of the encoder's commands. */
function snapshot(encoder: GPUCommandEncoder, buffer: GPUBuffer, count: number): () => Promise<number[]> {
  const copy = gpuDevice.createBuffer({ size: 4 * count, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  encoder.copyBufferToBuffer(buffer, 0, copy, 0, 4 * count);
  return async () => {
    await copy.mapAsync(GPUMapMode.READ);
    return [...new Float32Array(copy.getMappedRange())];
  };
}

const submit = (encoder: GPUCommandEncoder): void => gpuDevice.queue.submit([encoder.finish()]);
const values = async (x: Variable | null): Promise<number[]> => [...((await x?.read()) ?? [])];

describe("encodeInto", () => {
  test("puts commands between those of the application, in one submit that is the application's", async () => {
    const x = new Variable([1, 2, 3]);
    const { buffer } = x.data;
    const before = stats().submits;
    const encoder = gpuDevice.createCommandEncoder();
    const first = snapshot(encoder, buffer, 3);
    const y = encodeInto(encoder, () => {
      const result = square(x).mul(2);
      x.assign(result);
      return result;
    });
    const second = snapshot(encoder, buffer, 3);
    encodeInto(encoder, () => x.update((w) => w.add(1)));
    const third = snapshot(encoder, buffer, 3);
    submit(encoder);
    expect(stats().submits).toBe(before);
    expect([await first(), await second(), await third()]).toEqual([
      [1, 2, 3],
      [2, 8, 18],
      [3, 9, 19],
    ]);
    expect(await values(y)).toEqual([2, 8, 18]);
    expect(uncaptured).toEqual([]);
  });

  test("takes a whole step of training: forward, backward, in place", async () => {
    const target = new Variable([3, -1], { requiresGrad: false });
    const x = new Variable([0, 0]);
    for (let step = 0; step < 30; step++) {
      const encoder = gpuDevice.createCommandEncoder();
      encodeInto(encoder, () => {
        using loss = sum(x.sub(target).square());
        loss.backward({ retainGrad: false });
        x.descend(0.25).clearGrad();
      });
      submit(encoder);
      if (step % 7 === 0) await pause(0);
    }
    const [a, b] = await values(x);
    expect(a).toBeCloseTo(3, 5);
    expect(b).toBeCloseTo(-1, 5);
    expect(uncaptured).toEqual([]);
  });

  test("numbers that come from the processor meanwhile arrive in their place among the commands", async () => {
    const x = new Variable([5, 6, 7]);
    const encoder = gpuDevice.createCommandEncoder();
    const [a, b] = encodeInto(encoder, () => {
      const before = x.mul(2);
      x.assign([1, 1, 1]);
      const after = x.mul([3, 4, 5]);
      x.assign([2, 2, 2]);
      return [before, after];
    });
    submit(encoder);
    expect([await values(a), await values(b), await values(x)]).toEqual([
      [10, 12, 14],
      [3, 4, 5],
      [2, 2, 2],
    ]);
  });

  test("what was computed before is submitted before", async () => {
    const x = new Variable([1, 2]);
    const y = square(x);
    const encoder = gpuDevice.createCommandEncoder();
    const z = encodeInto(encoder, () => y.add(1));
    submit(encoder);
    expect(await values(z)).toEqual([2, 5]);
  });

  test("what comes after sees it, in the same task and later", async () => {
    const x = new Variable([1, 2]);
    const encoder = gpuDevice.createCommandEncoder();
    const z = encodeInto(encoder, () => square(x));
    const same = z.add(1);
    submit(encoder);
    expect(await values(same)).toEqual([2, 5]);
    expect(await values(z.add(2))).toEqual([3, 6]);
  });

  test("memory that is given back meanwhile, and buffers that are destroyed, leave the submit valid", async () => {
    await init({ poolBytes: 0 });
    const x = new Variable(new Float32Array(2 ** 16).fill(2));
    const encoder = gpuDevice.createCommandEncoder();
    const z = encodeInto(encoder, () => {
      const a = square(x);
      const b = a.mul(3);
      a.dispose();
      const c = mean(b);
      b.dispose();
      return c;
    });
    x.dispose();
    submit(encoder);
    expect(await z.item()).toBe(12);
    await init({ poolBytes: 2 ** 30 });
    expect(uncaptured).toEqual([]);
  });

  test("own WGSL, fused functions and large arrays may run there for the first time", async () => {
    const own = elementwise("fn tripled_forward(x: f32) -> f32 { return 3.0 * x; }");
    const fused = fuse((x: Variable) => exp(x.mul(0)).add(x));
    const encoder = gpuDevice.createCommandEncoder();
    const x = new Variable(new Float32Array(3 * 2 ** 20).fill(2));
    const z = encodeInto(encoder, () => {
      const y = mean(own(fused(x)));
      y.backward();
      return y;
    });
    submit(encoder);
    expect(await z.item()).toBe(9);
    expect((await x.grad?.read())?.[7]).toBeCloseTo(3 / (3 * 2 ** 20), 12);
  });

  test("wrong WGSL of a Kernel is told by the read", async () => {
    const kernel = new Kernel({
      name: "odd",
      wgsl: "@group(0) @binding(0) var<storage, read_write> y: array<f32>; @compute @workgroup_size(1) fn main() { y[0] = oops; }",
      bindings: ["output"],
    });
    const encoder = gpuDevice.createCommandEncoder();
    const [y] = encodeInto(encoder, () => kernel.run({ inputs: [], outputs: [[1]], invocations: 1 }));
    expect(await errorOf(() => y?.read())).toMatchObject({ code: "wgsl" });
    const x = new Variable([1, 2]);
    expect(await values(x.mul(2))).toEqual([2, 4]);
  });

  test("its buffers can be had for the application's own passes, before it is submitted", async () => {
    const x = new Variable([1, 2]);
    const encoder = gpuDevice.createCommandEncoder();
    const z = encodeInto(encoder, () => square(x));
    const copied = snapshot(encoder, z.data.buffer, 2);
    submit(encoder);
    expect(await copied()).toEqual([1, 4]);
    expect(await values(z)).toEqual([1, 4]);
  });

  test("nothing can be read or awaited in it, nor can it be called inside of itself", async () => {
    const x = new Variable([1, 2]);
    const encoder = gpuDevice.createCommandEncoder();
    const read = encodeInto(encoder, () => ({ promise: square(x).read() }));
    await expect(read.promise).rejects.toThrow(/nothing can be read inside of encodeInto/);
    expect(() => encodeInto(encoder, () => encodeInto(encoder, () => x))).toThrow(/inside of itself/);
    expect(() => encodeInto(encoder, async () => x.read())).toThrow(/is async/);
    expect(() => encodeInto({} as never, () => x)).toThrow(/must be a GPUCommandEncoder/);
    expect(() => encodeInto(encoder, 3 as never)).toThrow(/must be a function/);
    submit(encoder);
    await pause(10);
    expect(await values(x.mul(2))).toEqual([2, 4]);
  });

  test("what it throws comes through, and everything works on", async () => {
    const x = new Variable([1, 2]);
    const encoder = gpuDevice.createCommandEncoder();
    expect(() =>
      encodeInto(encoder, () => {
        square(x);
        throw new RangeError("mine");
      }),
    ).toThrow(RangeError);
    expect(await values(x.mul(2))).toEqual([2, 4]);
    const next = gpuDevice.createCommandEncoder();
    const z = encodeInto(next, () => square(x));
    submit(next);
    expect(await values(z)).toEqual([1, 4]);
  });

  test("random programs give the same bits, whichever of their steps are in an encoder", async () => {
    const step = fc.record({
      op: fc.constantFrom("square", "mul", "assign", "update", "sum", "backward", "dispose", "upload"),
      into: fc.boolean(),
      k: fc.nat(20),
    });
    interface Step {
      op: string;
      into: boolean;
      k: number;
    }
    const run = async (steps: readonly Step[], mayInto: boolean): Promise<number[]> => {
      const w = new Variable(Float32Array.from({ length: 300 }, (_, k) => Math.sin(k)));
      const kept: Variable[] = [w.mul(1).keep()];
      const pick = (k: number): Variable => kept[k % kept.length] ?? w;
      const actions: Record<string, (k: number) => void> = {
        square: (k) => kept.push(square(pick(k)).mul(0.5).keep()),
        mul: (k) =>
          kept.push(
            pick(k)
              .mul(pick(k + 1))
              .keep(),
          ),
        assign: (k) => void w.assign(pick(k).mul(0.25)),
        update: (k) => void w.update((v) => v.mul(0.5).add(k / 100)),
        sum: (k) =>
          kept.push(
            pick(k)
              .add(sum(pick(k + 2)).mul(0.001))
              .keep(),
          ),
        backward: () => {
          using loss = sum(square(w));
          loss.backward();
        },
        dispose: (k) => {
          if (kept.length > 1) kept.splice(k % kept.length, 1)[0]?.dispose();
        },
        upload: (k) => kept.push(new Variable(Float32Array.from({ length: 300 }, (_, i) => (i * k) / 1000))),
      };
      for (const { op, into, k } of steps) {
        if (into && mayInto) {
          const encoder = gpuDevice.createCommandEncoder();
          encodeInto(encoder, () => actions[op]?.(k));
          submit(encoder);
        } else actions[op]?.(k);
        if (k === 20) await pause(0);
      }
      const all = [w, ...kept, ...(w.grad === null ? [] : [w.grad])];
      const numbers = (await Promise.all(all.map((each) => each.read()))).flatMap((each) => [...each]);
      for (const each of all) each.dispose();
      return numbers;
    };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const [plain, mixed] = [await run(steps, false), await run(steps, true)];
        expect(mixed.length).toBe(plain.length);
        expect(mixed.findIndex((value, k) => !Object.is(value, plain[k]))).toBe(-1);
      }),
      { numRuns: 40, seed: 3 },
    );
    expect(uncaptured).toEqual([]);
  });
});

describe("the buffers of arrays", () => {
  test("have the usage that init was asked for, from then on, and after a loss too", async () => {
    const { VERTEX, INDIRECT, STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
    const usual = STORAGE | COPY_SRC | COPY_DST;
    const before = new Variable([1, 2]);
    await init({ usage: VERTEX | INDIRECT });
    const x = new Variable([1, 2]);
    expect(before.data.buffer.usage).toBe(usual);
    expect(x.data.buffer.usage).toBe(usual | VERTEX | INDIRECT);
    expect(square(x).data.buffer.usage).toBe(usual | VERTEX | INDIRECT);
    await init({ usage: 0 });
    expect(square(x).data.buffer.usage).toBe(usual);
    await expect(init({ usage: GPUBufferUsage.MAP_READ })).rejects.toThrow(/usage must be flags/);
    await expect(init({ usage: "VERTEX" as never })).rejects.toThrow(/usage must be flags/);
  });

  test.skipIf(isWgpu)("are called as the Variable is, whatever they were before", () => {
    const first = exp(new Variable([1, 2, 3]));
    const { buffer } = first.data;
    expect(buffer.label).toBe("gpugrad: Exp");
    first.dispose();
    const points = new Variable([4, 5, 6], { name: "points" });
    expect(points.data.buffer.label).toBe("gpugrad: points");
  });

  test("of the application keep their name", () => {
    const { STORAGE, COPY_SRC } = GPUBufferUsage;
    const buffer = gpuDevice.createBuffer({ size: 16, usage: STORAGE | COPY_SRC, label: "mine" });
    expect(GpuArray.fromBuffer(buffer, [4]).buffer.label).toBe("mine");
    flush();
    expect(device.gpuDevice).toBe(gpuDevice);
  });
});
