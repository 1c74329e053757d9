/** What a function gives is nobody else's: no change in place of another Variable changes it, nor the other way round. */
import { beforeAll, describe, expect, test } from "vitest";
import {
  Function,
  GpuArray,
  Kernel,
  Variable,
  broadcastTo,
  flush,
  fuse,
  grad,
  init,
  log,
  max,
  mean,
  min,
  noGrad,
  reshape,
  square,
  sum,
  sumTo,
  transpose,
  update,
  valueAndGrad,
} from "../../src/index.js";

let gpu: Awaited<ReturnType<typeof init>>;
beforeAll(async () => {
  gpu = await init();
});

/** Gives its operand's array; the same under another name for it. */
class Same extends Function {
  override forward(x: GpuArray): GpuArray {
    return x;
  }
  override backward(gy: Variable): Variable {
    return gy;
  }
}

class SameReshaped extends Same {
  override forward(x: GpuArray): GpuArray {
    return x.reshape([...x.shape]);
  }
}

/** One array, as two results. */
class Twice extends Function {
  override forward(x: GpuArray): GpuArray[] {
    const y = square(x).data;
    return [y, y.reshape(y.shape)];
  }
}

const fusedSame = fuse((x: Variable) => x);

/** Functions that give the numbers of `x` as they are, where it has this shape. */
const functions: Record<string, (x: Variable) => Variable> = {
  sum: (x) => sum(x),
  "sum along an axis of length 1": (x) => sum(x, 0),
  "sum along no axis": (x) => sum(x, []),
  "sum, keepDims": (x) => sum(x, undefined, { keepDims: true }),
  max: (x) => max(x),
  min: (x) => min(x),
  "min along the first axis": (x) => min(x, 0),
  mean: (x) => mean(x),
  broadcastTo: (x) => broadcastTo(x, x.shape),
  "broadcastTo, with an axis more": (x) => broadcastTo(x, [1, ...x.shape]),
  sumTo: (x) => sumTo(x, x.shape),
  reshape: (x) => reshape(x, [-1]),
  "reshape twice": (x) => reshape(reshape(x, [-1, 1]), x.shape),
  transpose: (x) => transpose(x),
  detach: (x) => x.detach(),
  "detach, reshaped": (x) => x.detach().reshape([-1]),
  fuse: (x) => fusedSame(x),
  "an own function that gives its operand": (x) => new Same().call(x),
  "an own function that gives it reshaped": (x) => new SameReshaped().call(x),
};

/** Shapes for which all of these have nothing to do, or have where an axis isn't 1. */
const shapes: [shape: number[], names: string[]][] = [
  [[], Object.keys(functions).filter((name) => !name.includes("axis"))],
  [[1], Object.keys(functions)],
  [[1, 1], Object.keys(functions)],
  [[1, 5], Object.keys(functions).filter((name) => /first|length 1|no axis|To|reshape|detach|fuse|own/.test(name))],
  [[70, 3], Object.keys(functions).filter((name) => /no axis|To|reshape|detach|fuse|own/.test(name))],
];
const cases = shapes.flatMap(([shape, names]) => names.map((name) => [name, shape] as const));

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const numbers = (shape: readonly number[], first = 1): Float32Array =>
  Float32Array.from({ length: sizeOf(shape) }, (_, k) => first + k);
const leaf = (shape: readonly number[], requiresGrad = true): Variable =>
  new Variable(numbers(shape), { shape: [...shape], requiresGrad });

const writer = new Kernel({
  name: "write",
  wgsl: `
    @group(0) @binding(0) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u) {
      if (id.x < arrayLength(&y)) { y[id.x] = -7.0; }
    }`,
  bindings: ["output"],
});

/** Ways to change a leaf in place. */
const changes: Record<string, (x: Variable) => void> = {
  assign: (x) => x.assign(new Float32Array(x.size).fill(-7)),
  descend: (x) => {
    x.grad = new Variable(new Float32Array(x.size).fill(3), { shape: x.shape });
    x.descend(1);
  },
  update: (x) => void x.update((w) => w.mul(0).sub(7)),
  copyFrom: (x) => x.data.copyFrom(GpuArray.constant(-7, x.shape)),
  "a kernel that writes into it": (x) => {
    writer.runInto({ inputs: [], outputs: [x], invocations: x.size });
  },
};

describe.each(cases)("%s of shape %j", (name, shape) => {
  const f = functions[name]!;

  test("keeps its numbers when its operand is changed, with a graph and without", async () => {
    for (const how of [f, (x: Variable) => noGrad(() => f(x))]) {
      for (const change of Object.values(changes)) {
        const x = leaf(shape);
        const y = how(x);
        const before = [...numbers(shape)];
        change(x);
        expect([...(await x.read())]).not.toEqual(before);
        expect([...(await y.read())]).toEqual(before);
      }
    }
  });

  test("leaves its operand as it is when it is changed itself", async () => {
    for (const how of [(x: Variable) => noGrad(() => f(x)), (x: Variable) => f(x)]) {
      for (const change of Object.values(changes)) {
        const x = leaf(shape, false);
        const y = how(x);
        change(y);
        expect([...(await x.read())]).toEqual([...numbers(shape)]);
        expect([...(await y.read())]).not.toEqual([...numbers(shape)]);
      }
    }
  });

  test("and so do two of them, of which one is changed or disposed", async () => {
    const x = leaf(shape, false);
    const [a, b] = [f(x), f(x)];
    a.assign(new Float32Array(a.size).fill(5));
    expect([...(await b.read())]).toEqual([...numbers(shape)]);
    a.dispose();
    expect([...(await x.read())]).toEqual([...numbers(shape)]);
    x.dispose();
    expect([...(await b.read())]).toEqual([...numbers(shape)]);
    expect([...(await b.assign(new Float32Array(b.size).fill(2)).read())]).toEqual([...numbers(shape)].fill(2));
  });

  test("is another Variable: with it goes nothing of its operand, and gradients pass", async () => {
    const x = leaf(shape);
    {
      using y = f(x);
      expect(y).not.toBe(x);
      if (y.requiresGrad) {
        y.backward();
        expect([...(await x.grad!.read())]).toEqual([...numbers(shape)].fill(1));
      }
    }
    expect([...(await x.read())]).toEqual([...numbers(shape)]);
    if (f(x).requiresGrad) {
      const slope = grad((u) => sum(square(f(u))));
      expect([...(await slope(x).read())]).toEqual([...numbers(shape)].map((v) => 2 * v));
      const curvature = grad((u) => sum(slope(u)));
      expect([...(await curvature(x).read())]).toEqual([...numbers(shape)].fill(2));
    }
  });
});

describe("a training loop that remembers what it saw", () => {
  test.each([
    ["a number", 3, [3, 2, 1]],
    ["an array of one", [3], [3, 2, 1]],
    ["an array of two", [1, 2], [3, 1, -1]],
  ])("%s", async (_, start, expected) => {
    for (const update of [
      (w: Variable) => w.descend(1),
      (w: Variable) => w.update((v, g) => v.sub(g), w.grad),
      (w: Variable) => w.assign(noGrad(() => w.sub(w.grad!))),
    ]) {
      const w = new Variable(start);
      const history: Variable[] = [];
      const losses: Variable[] = [];
      for (let k = 0; k < 3; k++) {
        history.push(noGrad(() => sum(w)));
        losses.push(sum(w));
        w.grad = new Variable(new Float32Array(w.size).fill(1), { shape: w.shape });
        update(w);
      }
      expect(await Promise.all(history.map((h) => h.item()))).toEqual(expected);
      expect(await Promise.all(losses.map((h) => h.item()))).toEqual(expected);
    }
  });
});

describe("gradients", () => {
  test("a sum of one keeps its number when it is changed", async () => {
    const w = new Variable([2]);
    square(w).backward();
    const s = sum(w.grad!);
    w.grad!.assign([100]);
    expect(await s.item()).toBe(4);
  });

  test.each([false, true])("of what passes it on are changed one by one (createGraph %s)", async (createGraph) => {
    const w = new Variable([2, 3]);
    const y = broadcastTo(sumTo(reshape(w, [2, 1]).reshape([2]), [2]), [2]);
    y.grad = [5, 6];
    y.backward({ createGraph });
    y.grad!.assign([0, 0]);
    expect([...(await w.grad!.read())]).toEqual([5, 6]);
  });
});

test("two results over one array are two", async () => {
  const node = new Twice();
  const [a, b] = noGrad(() => (node.call([1, 2]), node.outputs)) as [Variable, Variable];
  a.assign([0, 0]);
  expect([...(await b.read())]).toEqual([1, 4]);
});

test("what noGrad gave, given back and computed again before a change, keeps its numbers, too", async () => {
  const w = new Variable([1, 2]);
  const h = noGrad(() => reshape(w, [2, 1]));
  const y = noGrad(() => h.mul(2));
  y.dispose();
  w.assign([7, 7]);
  expect([...(await h.read())]).toEqual([1, 2]);
});

test("a view of a view keeps its numbers, whatever is made of the one between", async () => {
  const w = new Variable([1, 2, 3, 4]);
  const view = w.reshape([2, 2]);
  const h = view.detach();
  w.assign([0, 0, 0, 0]);
  const y = sum(square(h.mul(view.detach())));
  expect(await y.item()).toBe(1 + 16 + 81 + 256);
});

test("a leaf and itself, detached, are updated each by itself", async () => {
  const a = new Variable([1, 2]);
  const d = a.detach();
  update([a, d], (x: Variable, y: Variable) => [x.add(1), y.mul(10)]);
  expect([...(await a.read()), ...(await d.read())]).toEqual([2, 3, 10, 20]);
});

describe("memory that an application can change unheard", () => {
  test("its own buffer: what was computed from it keeps its numbers", async () => {
    const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
    const buffer = gpu.gpuDevice.createBuffer({ size: 16, usage: STORAGE | COPY_SRC | COPY_DST });
    const write = (...values: number[]): void => {
      gpu.gpuDevice.queue.writeBuffer(buffer, 0, Float32Array.from(values));
    };
    write(1, 2, 3, 4);
    const p = new Variable(GpuArray.fromBuffer(buffer, [4]));
    const one = new Variable(GpuArray.fromBuffer(buffer, [1]));
    const results = [p.reshape([2, 2]), p.detach(), broadcastTo(p, [4]), sum(one), fusedSame(p)];
    flush();
    write(9, 9, 9, 9);
    p.data.markModified();
    const read = await Promise.all(results.map(async (y) => [...(await y.read())]));
    expect(read).toEqual([[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4], [1], [1, 2, 3, 4]]); // prettier-ignore
    expect([...(await p.read())]).toEqual([9, 9, 9, 9]);
    buffer.destroy();
  });

  test("a buffer that it has got from an array, before or after the function was called", async () => {
    for (const isBefore of [true, false]) {
      const w = new Variable([5]);
      const early = isBefore ? w.data.buffer : null;
      const [s, d] = [sum(w), w.detach()];
      const buffer = early ?? w.data.buffer;
      flush();
      gpu.gpuDevice.queue.writeBuffer(buffer, 0, Float32Array.of(9));
      w.data.markModified();
      expect([await w.item(), await s.item(), await d.item()]).toEqual([9, 5, 5]);
    }
  });
});

describe("a share that was asked for is the same memory", () => {
  test("a Variable of an array, and an array reshaped", async () => {
    const x = new Variable([1, 2]);
    const same = new Variable(x.data);
    const view = x.data.reshape([2, 1]);
    x.assign([3, 4]);
    expect([...(await same.read()), ...(await view.read())]).toEqual([3, 4, 3, 4]);
    view.copyFrom(GpuArray.from(Float32Array.of(5, 6), [2, 1]));
    expect([...(await x.read()), ...(await same.read())]).toEqual([5, 6, 5, 6]);
  });

  test("also of what a function gave", async () => {
    const x = new Variable([1, 2], { requiresGrad: false });
    const y = x.reshape([2, 1]);
    const view = y.data.reshape([2]);
    x.assign([0, 0]);
    expect([...(await view.read())]).toEqual([1, 2]);
    y.assign([[3], [4]]);
    expect([...(await view.read())]).toEqual([3, 4]);
    expect([...(await x.read())]).toEqual([0, 0]);
  });
});

describe("no result of a call is a Variable that was there before", () => {
  test("disposed, it takes no leaf along", async () => {
    const [b, c] = [new Variable([1, 2]), new Variable([3, 4])];
    const held = fuse(() => c);
    const both = fuse((x: Variable) => [x, x.mul(2), c]);
    const [value, gradient] = valueAndGrad(() => sum(c).mul(0).add(c))(b);
    const [outer] = valueAndGrad(() => c)(b);
    const made = [
      broadcastTo(b, [2]),
      b.broadcastTo([2]),
      sumTo(b, [2]),
      fusedSame(b),
      held(),
      ...both(b),
      value,
      gradient,
      outer,
    ];
    for (const each of made) {
      expect([b, c]).not.toContain(each);
      each.dispose();
    }
    grad(() => c)(b).dispose();
    expect([...(await b.read()), ...(await c.read())]).toEqual([1, 2, 3, 4]);
  });

  test("a gradient that an own backward had before stays its owner's", async () => {
    const slope = new Variable([7, 8]);
    class Linear extends Same {
      override backward(): Variable {
        return slope;
      }
    }
    for (const createGraph of [false, true]) {
      const x = new Variable([1, 2]);
      new Linear().call(x).backward({ createGraph });
      expect([...(await x.grad!.read())]).toEqual([7, 8]);
      x.clearGrad();
      expect([...(await slope.read())]).toEqual([7, 8]);
    }
  });

  test("and what it is given as data is there as long as the result", async () => {
    for (const f of [
      (x: number[]) => broadcastTo(x, [2]),
      (x: number[]) => sumTo(x, [2]),
      (x: number[]) => fusedSame(x),
    ]) {
      expect([...(await f([1, 2]).read())]).toEqual([1, 2]);
      expect([...(await noGrad(() => f([1, 2])).read())]).toEqual([1, 2]);
    }
  });
});

test("what isn't changed is copied never, and forgotten results pile up nowhere", async () => {
  const { stats } = await import("../../src/index.js");
  const w = new Variable(new Float32Array(2 ** 16));
  const before = stats().liveBytes;
  const results = Array.from({ length: 100 }, () =>
    noGrad(() => broadcastTo(sumTo(w.reshape([2 ** 16]), [2 ** 16]), [2 ** 16])),
  );
  expect(stats().liveBytes).toBe(before);
  for (const each of results) each.dispose();
  for (let k = 0; k < 50; k++) {
    using loss = sum(square(w.reshape([256, 256])));
    loss.backward({ retainGrad: false });
    w.descend(0.1).clearGrad();
  }
  expect(stats().liveBytes).toBe(before);
  expect(await sum(log(w.mul(0).add(1))).item()).toBe(0);
});
