/** What the soak does at random: each action checks its own numbers and holds nothing when it is over. */
import {
  elementwise,
  exp,
  Function,
  fuse,
  grad,
  gradCheck,
  type GpuArray,
  Kernel,
  leaks,
  max,
  mean,
  noGrad,
  prepare,
  profile,
  sin,
  square,
  sum,
  tanh,
  toDot,
  Variable,
  where,
} from "../src/index.js";

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export type Random = () => number;

export function randomFrom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @param size how many numbers to work on, at least 2 */
export type Action = (size: number, random: Random) => Promise<void>;

const softsign = elementwise(`
  fn softsign_forward(x: f32) -> f32 { return x / (1.0 + abs(x)); }
  fn softsign_backward(x: f32, gy: f32) -> f32 { let d = 1.0 + abs(x); return gy / (d * d); }`);
const fused = fuse((x, y) => exp(sin(x).mul(y)));
const broken = elementwise(
  "fn broken_forward(x: f32) -> f32 { return x + determinant(mat2x2f(1e30, 0.0, 0.0, 1e30)); }",
);
const double = new Kernel({
  name: "double",
  wgsl: `
    @group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let i = id.x + id.y * groups.x * 64u;
      if (i < arrayLength(&y)) { y[i] = 2.0 * x[i]; }
    }`,
  bindings: ["input", "output"],
});

class Cube extends Function {
  override forward(x: GpuArray): Variable {
    return square(x).mul(x);
  }
  override backward(gy: Variable): Variable {
    return square(this.input).mul(3).mul(gy);
  }
}

/** Numbers between -1 and 1. */
function numbers(size: number, random: Random): Float32Array {
  return Float32Array.from({ length: size }, () => 2 * random() - 1);
}

function near(found: number | undefined, wanted: number, what: string): void {
  if (found === undefined || !(Math.abs(found - wanted) <= 1e-4 * Math.max(1, Math.abs(wanted)))) {
    throw new Error(`${what} is ${found}, not ${wanted}`);
  }
}

/** The element of a result, beside a function of the element that it was computed from. */
function compare(found: Float32Array, from: Float32Array, f: (x: number) => number, what: string): void {
  const last = from.length - 1;
  for (const k of [0, last >> 1, last]) near(found[k], f(from[k] ?? NaN), `${what}[${k}]`);
}

async function code(f: () => unknown): Promise<string> {
  try {
    await f();
    return "none";
  } catch (error) {
    const { code } = error as { code?: string };
    // The soak itself decides whether a loss was its own doing.
    if (code === undefined || code === "device-lost") throw error;
    return code;
  }
}

async function expectCode(wanted: string, f: () => unknown): Promise<void> {
  const found = await code(f);
  if (found !== wanted) throw new Error(`the error is ${found}, not ${wanted}`);
}

export const actions: Record<string, Action> = {
  /** Gradient descent, with what it needs to go on read as it goes. */
  async train(size, random) {
    const target = numbers(size, random);
    const x = new Variable(new Float32Array(size), { name: "x" });
    const y = new Variable(target, { requiresGrad: false });
    for (let step = 0; step < 10; step++) {
      const loss = sum(square(x.sub(y)));
      loss.backward({ retainGrad: false });
      x.descend(0.25);
      x.clearGrad();
      loss.dispose();
      if (random() < 0.2) await x.read();
    }
    compare(await x.read(), target, (t) => t * (1 - 0.5 ** 10), "what was learned");
    for (const variable of [x, y]) variable.dispose();
  },

  /** Many reads at once, some of Variables that are disposed meanwhile. */
  async read(size, random) {
    const values = numbers(size, random);
    const x = new Variable(values);
    const readings = Array.from({ length: 10 }, async (_, k) => {
      const y = x.mul(k + 0.5);
      const reading = y.read();
      y.dispose();
      compare(await reading, values, (v) => v * (k + 0.5), "what was read");
    });
    await Promise.all(readings);
    x.dispose();
  },

  /** Graphs that nobody disposes. */
  async forget(size, random) {
    const values = numbers(size, random);
    for (let k = 0; k < 5; k++) softsign(tanh(new Variable(values))).backward();
    const x = new Variable(values);
    compare(await softsign(x).read(), values, (v) => v / (1 + Math.abs(v)), "softsign");
  },

  async differentiate(size, random) {
    const values = numbers(size, random);
    const x = new Variable(values);
    const cube = (v: Variable): Variable => new Cube().call(v);
    compare(await grad(cube)(x).read(), values, (v) => 3 * v * v, "the slope");
    compare(await grad(grad(cube))(x).read(), values, (v) => 6 * v, "the slope's slope");
    const y = cube(exp(x));
    y.backward({ createGraph: true });
    const first = x.grad;
    x.clearGrad();
    first?.backward();
    compare((await x.grad?.read()) ?? new Float32Array(0), values, (v) => 9 * Math.exp(3 * v), "the second gradient");
    y.dispose();
  },

  async fuse(size, random) {
    const values = numbers(size, random);
    const x = new Variable(values);
    const y = fused(x, new Variable(values, { requiresGrad: false }));
    y.backward();
    compare(await y.read(), values, (v) => Math.exp(Math.sin(v) * v), "what is fused");
    const slope = (v: number): number => Math.exp(Math.sin(v) * v) * Math.cos(v) * v;
    compare((await x.grad?.read()) ?? new Float32Array(0), values, slope, "its gradient");
    y.dispose();
    x.dispose();
  },

  async reduce(size, random) {
    const values = numbers(3 * size, random);
    const x = new Variable(values, { shape: [3, size] });
    const total = values.reduce((before, v) => before + v, 0);
    near(await sum(x).item(), total, "the sum");
    near(await mean(sum(x, 0)).item(), total / size, "the mean of columns");
    near(
      await max(max(x, 1)).item(),
      values.reduce((most, v) => Math.max(most, v)),
      "the greatest",
    );
    using chosen = where(x.greater(0), x, 0);
    near(
      await sum(chosen).item(),
      values.reduce((before, v) => before + Math.max(0, v), 0),
      "the sum of the positive",
    );
  },

  async run(size, random) {
    const values = numbers(size, random);
    const x = new Variable(values);
    const [y] = double.run({ inputs: [x], outputs: [[size]], invocations: size });
    compare((await y?.read()) ?? new Float32Array(0), values, (v) => 2 * v, "the Kernel's result");
    y?.release();
    x.assign(values.map((v) => v + 1));
    compare(await noGrad(() => x.sub(1)).read(), values, (v) => v, "what was assigned");
  },

  /** Mistakes, each with its error; nothing else is harmed by them. */
  async fail(size, random) {
    const values = numbers(size, random);
    const x = new Variable(values, { name: "victim" });
    const healthy = square(x);
    await expectCode("wgsl", () => broken(x).read());
    await expectCode("shape-mismatch", () => x.add([1, 2, 3, 4, 5, 6, 7].slice(0, size === 7 ? 6 : 7)));
    await expectCode("invalid-argument", () => square("seven" as never));
    await expectCode("not-differentiable", () => x.greater(0).backward());
    await expectCode("released", () => {
      const y = exp(x);
      y.dispose();
      return y.read();
    });
    await expectCode("modified", () => {
      const leaf = new Variable(values);
      const y = square(leaf);
      leaf.assign(values);
      y.backward();
    });
    compare(await healthy.read(), values, (v) => v * v, "the healthy result");
  },

  async look(size, random) {
    const x = new Variable(numbers(size, random), { name: "x" });
    const y = exp(square(x));
    if (!toDot(y).includes("Square")) throw new Error("toDot shows no Square");
    if (!leaks().some(({ name }) => name === "x")) throw new Error("leaks() doesn't know x");
    const entries = await profile(() => y.backward());
    const names = entries.map(({ name, direction }) => `${name} ${direction}`).join();
    if (names !== "exp backward,square backward") throw new Error(`profile has ${names}`);
    await prepare(softsign, fused);
    await gradCheck((v) => softsign(v), [[0.3, -0.4]], { order: 1 });
  },
};
