/** Hostile and absurd input to every public entry: nothing is worse than a typed error, and nothing changes by it. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as gpugrad from "../src/index.js";
import {
  elementwise,
  Function,
  fuse,
  GpuArray,
  grad,
  gradCheck,
  init,
  isGpugradError,
  Kernel,
  noGrad,
  prepare,
  square,
  stats,
  sum,
  toDot,
  valueAndGrad,
  Variable,
} from "../src/index.js";
import { gradEnabled } from "../src/graph/grad-mode.js";
import { tracing } from "../src/graph/function.js";
import { collect, inTime, pause, useOwnDevice, watchForTrouble } from "./trouble.js";

let trouble: ReturnType<typeof watchForTrouble>;
let foreign: Variable;
const uncaptured: string[] = [];

beforeAll(async () => {
  trouble = watchForTrouble();
  await useOwnDevice();
  foreign = new Variable([1, 2, 3]);
  await useOwnDevice((message) => uncaptured.push(message));
});

afterAll(async () => {
  try {
    await trouble.expectNone();
    expect(uncaptured).toEqual([]);
  } finally {
    trouble.stop();
  }
});

/** What the hostile values themselves throw: it must come through unchanged. */
class Mine extends Error {}
const throwMine = (): never => {
  throw new Mine("mine");
};

const isAllowed = (error: unknown): boolean =>
  isGpugradError(error) ||
  error instanceof Mine ||
  // What a revoked Proxy throws wherever it is touched, a class that is called as a function, and the getters of what
  // has a Variable's prototype and is none.
  (error instanceof TypeError &&
    /proxy that has been revoked|Class constructor|Cannot read private member/.test(error.message));

/** The message of what is thrown, with its stack, so that a failure says where. */
const told = (error: unknown): string => (error instanceof Error ? String(error.stack) : String(error));

function withElement(get: () => unknown): unknown[] {
  const array: unknown[] = [1, 2, 3];
  Object.defineProperty(array, 1, { get, enumerable: true });
  return array;
}

function withGetters(get: () => unknown): object {
  const target: Record<string, unknown> = {};
  for (const name of [
    "name",
    "shape",
    "requiresGrad",
    "createGraph",
    "retainGrad",
    "argnums",
    "order",
    "device",
    "math",
  ])
    Object.defineProperty(target, name, { get, enumerable: true });
  for (const name of [
    "wgsl",
    "bindings",
    "inputs",
    "outputs",
    "uniforms",
    "invocations",
    "workgroups",
    "keepDims",
    "data",
  ])
    Object.defineProperty(target, name, { get, enumerable: true });
  return target;
}

function detached(): Float32Array {
  const values = Float32Array.of(1, 2, 3);
  structuredClone(values.buffer, { transfer: [values.buffer] });
  return values;
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable([], {});
  revoke();
  return proxy;
}

function disposed(): Variable {
  const x = new Variable([1, 2, 3]);
  x.dispose();
  return x;
}

function cyclic(): unknown[] {
  const array: unknown[] = [];
  array.push(array);
  return array;
}

const throwing = new Proxy([], { get: throwMine, has: throwMine, ownKeys: throwMine, getPrototypeOf: throwMine });
const hostileText = 'x"]; } \n fn main() {} @compute // */ \\ \u2028 ${1} <script>';

const absurd: Record<string, () => unknown> = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  NaN: () => NaN,
  "-1": () => -1,
  "1.5": () => 1.5,
  "-0": () => -0,
  Infinity: () => Infinity,
  "2 ** 53": () => 2 ** 53,
  bigint: () => 7n,
  symbol: () => Symbol("s"),
  text: () => "text",
  "hostile text": () => hostileText,
  "long text": () => "x".repeat(100_000),
  object: () => ({}),
  "null prototype": () => Object.create(null) as unknown,
  Date: () => new Date(0),
  Map: () => new Map(),
  Promise: () => Promise.resolve(1),
  thenable: () => ({ then: (resolve: (value: unknown) => void) => resolve(1) }),
  function: () => () => undefined,
  "throwing function": () => throwMine,
  "async function": () => async () => Promise.resolve(1),
  class: () => Variable,
  "[]": () => [],
  "[NaN]": () => [NaN],
  "[-1]": () => [-1],
  "[-1, -1]": () => [-1, -1],
  "[1.5]": () => [1.5],
  "[2 ** 53]": () => [2 ** 53],
  "[1e9, 1e9]": () => [1e9, 1e9],
  "[1e6, 1e6]": () => [1e6, 1e6],
  "[0, 1e15]": () => [0, 1e15],
  "[2 ** 31]": () => [2 ** 31],
  "many ones": () => new Array<number>(300).fill(1),
  "many twos": () => new Array<number>(40).fill(2),
  "text array": () => ["1", "2"],
  "ragged array": () => [[1, 2], [3]],
  "deep array": () => {
    let array: unknown = 1;
    for (let k = 0; k < 5000; k++) array = [array];
    return array;
  },
  "cyclic array": cyclic,
  "sparse array": () => new Array<unknown>(5),
  "huge sparse array": () => new Array<unknown>(2 ** 32 - 1),
  "array with a hole": () => [1, , 3], // eslint-disable-line no-sparse-arrays
  "frozen array": () => Object.freeze([1, 2, 3]),
  "array of objects": () => [{}, null],
  "array with a getter that calls": () => withElement(() => square(2)),
  "array with a getter that gives a number": () => withElement(() => (void square(2), 5)),
  "array with a getter that throws": () => withElement(throwMine),
  "array that grows": () => {
    const array: number[] = [1, 2, 3];
    Object.defineProperty(array, 0, { get: () => (array.length < 50 && array.push(1), 1) });
    return array;
  },
  "array that shrinks": () => {
    const array: number[] = [1, 2, 3];
    Object.defineProperty(array, 0, { get: () => ((array.length = 1), 1), configurable: true });
    return array;
  },
  "proxy of an array": () => new Proxy([1, 2, 3], {}),
  "proxy that throws": () => throwing,
  "revoked proxy": revoked,
  "proxy of a Variable": () => new Proxy(new Variable([1, 2, 3]), {}),
  "subclass of Array": () => new (class Numbers extends Array<number> {})(3).fill(1),
  "options with getters that throw": () => withGetters(throwMine),
  "options with getters that call": () => withGetters(() => square(2)),
  "options with getters that change the math": () => withGetters(() => (void init({ math: "exact" }), undefined)),
  "object with valueOf": () => ({ valueOf: throwMine, toString: throwMine, [Symbol.toPrimitive]: throwMine }),
  "detached array": detached,
  "shared array": () =>
    new Float32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer, 0, 3).fill(2),
  "resizable array": () => {
    const buffer = new (ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer)(16, { maxByteLength: 64 });
    const values = new Float32Array(buffer, 4, 3);
    (buffer as unknown as { resize(n: number): void }).resize(8);
    return values;
  },
  Float64Array: () => new Float64Array(3),
  Uint8Array: () => new Uint8Array(3),
  DataView: () => new DataView(new ArrayBuffer(16)),
  ArrayBuffer: () => new ArrayBuffer(16),
  "empty Float32Array": () => new Float32Array(0),
  "disposed Variable": disposed,
  "Variable of another device": () => foreign,
  "array of another device": () => foreign.data,
  "a Variable's prototype": () => Variable.prototype,
  "a GpuArray's prototype": () => GpuArray.prototype,
  "a fake GpuArray": () => Object.create(GpuArray.prototype) as unknown,
  "a fake Variable": () => Object.create(Variable.prototype) as unknown,
  "a fake buffer": () => ({ mapAsync: () => undefined, size: 1024, usage: 0xff }),
};

const sane: Record<string, () => unknown> = {
  "2": () => 2,
  "[1, 2, 3]": () => [1, 2, 3],
  "[[1, 2, 3], [4, 5, 6]]": () => [
    [1, 2, 3],
    [4, 5, 6],
  ],
  "[3]": () => [3],
  "0": () => 0,
  Float32Array: () => Float32Array.of(1, 2, 3),
  "Variable []": () => new Variable(2),
  "Variable [3]": () => new Variable([1, 2, 3]),
  "Variable [2, 3]": () =>
    new Variable([
      [1, 2, 3],
      [4, 5, 6],
    ]),
  "Variable [0]": () => new Variable([]),
  "square's output": () => square(new Variable([1, 2, 3])),
  constant: () => GpuArray.constant(2, [3]),
  "function of a Variable": () => (x: unknown) => square(x as Variable),
  "graph option": () => ({ createGraph: true }),
};

const value = fc
  .oneof(
    { weight: 3, arbitrary: fc.constantFrom(...Object.keys(absurd)) },
    { weight: 1, arbitrary: fc.constantFrom(...Object.keys(sane)) },
  )
  .map((name) => name);
const make = (name: string): unknown => (absurd[name] ?? sane[name])!();

const doubled = {
  name: "twice",
  wgsl: `
    @group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    @group(0) @binding(2) var<uniform> scale: vec4f;
    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u) {
      if (id.x < arrayLength(&y)) { y[id.x] = 2.0 * x[id.x]; }
    }`,
  bindings: ["input", "output", "uniform"],
} as const;
const good = { inputs: [[1]], outputs: [[3]], uniforms: [new Float32Array(4)], invocations: 3 };
const source = "fn own_forward(x: f32) -> f32 { return x; } fn own_backward(gy: f32) -> f32 { return gy; }";

type Call = (...args: never[]) => unknown;
class Node extends Function {
  readonly result: unknown;
  constructor(result: unknown) {
    super();
    this.result = result;
  }
  override forward(): GpuArray {
    return this.result as GpuArray;
  }
  override backward(): Variable {
    return this.result as Variable;
  }
}

/** Every public entry; absurd values take the places of its arguments, or of one option. */
function entries(): Record<string, Call> {
  const result: Record<string, Call> = {};
  // These are called below with what they need; a name is enough to be called as a function.
  const special = ["Function", "Kernel", "GpuArray", "Variable", "init", "flush", "stats", "leaks"];
  for (const [name, exported] of Object.entries(gpugrad)) {
    if (typeof exported !== "function" || special.includes(name) || /^[A-Z]/.test(name)) continue;
    result[name] = (...args) => (exported as Call)(...args);
  }
  const methods = Object.getOwnPropertyNames(Variable.prototype).filter((name) => {
    const value: unknown = Object.getOwnPropertyDescriptor(Variable.prototype, name)?.value;
    return (
      typeof value === "function" &&
      !["constructor", "setCreator", "receiveGrad", "addConsumer", "comeFrom"].includes(name)
    );
  });
  for (const name of methods) {
    result[`x.${name}`] = (...args) => {
      const x = new Variable(
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        { name: "x" },
      );
      return (Reflect.get(x, name) as Call).apply(x, args);
    };
  }
  const option = (options: object, name: string, given: unknown): object => ({ ...options, [name]: given });
  return Object.assign(result, {
    "new Variable": (data: never, options: never) => new Variable(data, options),
    "new Variable, options": (name: never, shape: never, requiresGrad: never) =>
      new Variable([1, 2, 3], { name, shape, requiresGrad }),
    "x.grad =": (given: never) => (new Variable([1, 2, 3]).grad = given),
    "x.name =": (given: never) => {
      const x = new Variable([1]);
      x.name = given;
      return toDot(square(x));
    },
    "backward, options": (createGraph: never, retainGrad: never) => square([1]).backward({ createGraph, retainGrad }),
    "new Square().call": (...args: never[]) => new gpugrad.Square().call(...args),
    "Function.forward gives": (given: never) => new Node(given).call(1),
    "Function.backward gives": (given: never) => {
      const node = new (class extends Node {
        override forward(): GpuArray {
          return GpuArray.constant(1, [3]);
        }
      })(given);
      node.call(new Variable([1, 2, 3])).backward();
    },
    "Function.backward gives, with a graph": (given: never) => {
      const node = new (class extends Node {
        override forward(): GpuArray {
          return GpuArray.constant(1, [3]);
        }
      })(given);
      node.call(new Variable([1, 2, 3])).backward({ createGraph: true });
    },
    "GpuArray.from": (values: never, shape: never) => GpuArray.from(values, shape),
    "GpuArray.constant": (number: never, shape: never) => GpuArray.constant(number, shape),
    "GpuArray.fromBuffer": (buffer: never, shape: never) => GpuArray.fromBuffer(buffer, shape),
    "array.reshape": (shape: never) => GpuArray.from(Float32Array.of(1, 2, 3)).reshape(shape),
    "array.copyFrom": (other: never) => GpuArray.from(Float32Array.of(1, 2, 3)).copyFrom(other),
    "array.descend": (other: never, rate: never) => GpuArray.from(Float32Array.of(1, 2, 3)).descend(other, rate),
    "elementwise, options": (derivative: never) => elementwise(source, { derivative })([1, 2]).backward(),
    "derivative gives": (given: never) =>
      elementwise(source, { derivative: () => given })(new Variable([1, 2])).backward({ createGraph: true }),
    "own(x)": (...args: never[]) => elementwise(source)(...args),
    "fused(x)": (...args: never[]) => fuse((x) => square(x.mul(3)))(...args),
    "fused function gives": (given: never) => fuse(() => given)([1]),
    "grad(f)(x)": (...args: never[]) => grad((x) => square(x))(...args),
    "grad, options": (argnums: never) => grad((x, y) => x.mul(y), { argnums })(2, 3),
    "grad's function gives": (given: never) => valueAndGrad(() => given)([1, 2]),
    "gradCheck's function gives": (given: never) => gradCheck(() => given, [2]),
    "gradCheck, options": (order: never, step: never, maxElements: never, directions: never) =>
      gradCheck((x) => square(x), [2], { order, step, maxElements, directions }),
    "gradCheck, more options": (tolerance: never, seed: never) => gradCheck((x) => square(x), [2], { tolerance, seed }),
    "noGrad's function gives": (given: never) => noGrad(() => given),
    "new Kernel": (options: never) => new Kernel(options),
    ...Object.fromEntries(
      ["name", "wgsl", "bindings", "workgroupSize"].map((name) => [
        `new Kernel, ${name}`,
        (given: never) => new Kernel(option(doubled, name, given) as never).run(good as never),
      ]),
    ),
    "kernel.run": (options: never) => new Kernel(doubled).run(options),
    "kernel.runInto": (options: never) => new Kernel(doubled).runInto(options),
    ...Object.fromEntries(
      ["inputs", "outputs", "uniforms", "invocations", "workgroups"].flatMap((name) => [
        [`kernel.run, ${name}`, (given: never) => new Kernel(doubled).run(option(good, name, given) as never)],
        [`kernel.run, ${name}[0]`, (given: never) => new Kernel(doubled).run(option(good, name, [given]) as never)],
        [`kernel.runInto, ${name}`, (given: never) => new Kernel(doubled).runInto(option(good, name, given) as never)],
      ]),
    ),
    "kernel.prepare": (device: never) => new Kernel(doubled).prepare(device),
    "init, options": (device: never, gpu: never, math: never, poolBytes: never) =>
      init({ device, gpu, math: math === "native" ? undefined : math, poolBytes } as never),
    init: (options: never) => init(options),
  });
}

/** Runs a call and what it promises or gives to its end: the error, or null. */
async function outcomeOf(call: () => unknown): Promise<unknown> {
  try {
    const result: unknown = await inTime(Promise.resolve(call()), "the call", 30_000);
    for (const part of Array.isArray(result) ? (result as unknown[]).slice(0, 10) : [result]) {
      const readable = part instanceof Variable || part instanceof GpuArray;
      if (readable && part.size < 1e6) await inTime(part.read(), "the read", 30_000);
    }
    return null;
  } catch (error) {
    return error;
  }
}

async function expectAllWell(): Promise<void> {
  expect(gradEnabled()).toBe(true);
  expect(tracing.current).toBeNull();
  const x = new Variable([1, 2, 3]);
  const y = sum(square(x));
  y.backward();
  expect(await inTime(y.item(), "a good call's read")).toBe(14);
  expect([...(await x.grad!.read())]).toEqual([2, 4, 6]);
  y.dispose();
  x.clearGrad();
  x.dispose();
}

/** Bytes in use, when the collector has found what was forgotten. */
async function expectBytes(bytes: number): Promise<void> {
  for (let tries = 0; tries < 50 && stats().liveBytes > bytes; tries++) {
    await pause(1);
    await collect();
  }
  expect(stats().liveBytes).toBeLessThanOrEqual(bytes);
}

describe("absurd arguments", () => {
  const all = entries();
  /** What is worse than a typed error, or null. A function, since an error holds what was on the stack. */
  const wrongWith = async (entry: string, names: readonly string[]): Promise<string | null> => {
    const call = all[entry] as (...args: unknown[]) => unknown;
    const error = await outcomeOf(() => call(...names.map(make)));
    return error === null || isAllowed(error) ? null : `${entry}(${names.join(", ")}): ${told(error)}`;
  };

  test(
    `to each of ${Object.keys(all).length} entries: a typed error or a result, and the state as before`,
    { timeout: 600_000 },
    async () => {
      await expectAllWell();
      await collect();
      const before = stats().liveBytes;
      const seen = new Set<string>();
      const wrong = new Map<string, string>();
      const random = fc.sample(
        fc.tuple(fc.constantFrom(...Object.keys(all)), fc.array(value, { minLength: 1, maxLength: 4 })),
        { numRuns: 5000, seed: 5 },
      );
      // Each value alone, to each entry, and several together at random.
      const values = [...Object.keys(absurd), ...Object.keys(sane)];
      const alone = Object.keys(all).flatMap((entry) => values.map((name): [string, string[]] => [entry, [name]]));
      const runs = [...alone, ...random];
      for (const [index, [entry, names]] of runs.entries()) {
        const report = await wrongWith(entry, names);
        seen.add(entry);
        if (report !== null) wrong.set(report.split("\n").slice(1, 4).join(), report);
        expect(gradEnabled()).toBe(true);
        expect(tracing.current).toBeNull();
        if (index % 50 === 0) await expectAllWell();
      }
      expect([...wrong.values()].join("\n\n")).toBe("");
      expect(seen.size).toBe(Object.keys(all).length);
      await expectAllWell();
      // Of all these calls, the engine's caches may still hold a value or two.
      await expectBytes(before + 64);
    },
  );
});

describe("numbers", () => {
  /** As Float32Array stores them, with NaN and -0 told apart from 0. */
  const same = (a: Float32Array, b: Float32Array): void => {
    expect(a.length).toBe(b.length);
    a.forEach((x, k) => {
      if (!Object.is(x, b[k])) throw new Error(`element ${k} is ${x}, not ${b[k]}`);
    });
  };
  const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 5 });
  const float = fc.oneof(fc.float({ noDefaultInfinity: false }), fc.double(), fc.constantFrom(-0, 1e-45, 3.4028235e38));

  test("in nested arrays of any shape arrive as they are, from every kind of memory", async () => {
    await fc.assert(
      fc.asyncProperty(shape, float, fc.integer({ min: 0, max: 3 }), async (lengths, first, kind) => {
        const size = lengths.reduce((total, length) => total * length, 1);
        const values = Float32Array.from({ length: size }, (_, k) => (k === 0 ? first : k));
        const nest = (from: number, axis: number): unknown => {
          if (axis === lengths.length) return values[from];
          const stride = lengths.slice(axis + 1).reduce((total, length) => total * length, 1);
          return Array.from({ length: lengths[axis]! }, (_, k) => nest(from + k * stride, axis + 1));
        };
        const shared = (): Float32Array => {
          const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
          const view = new Float32Array(buffer, 8, size);
          view.set(values);
          return view;
        };
        const data = [() => nest(0, 0), () => values, shared, () => Object.freeze(nest(0, 0))][kind]!() as never;
        const options = kind === 1 || kind === 2 ? { shape: lengths } : {};
        const x = new Variable(data, options);
        // A length of 0 ends what a nested array can tell of its shape.
        if (size > 0) expect(x.shape).toEqual(lengths);
        same(await x.read(), values);
        x.dispose();
      }),
      { numRuns: 300, seed: 5 },
    );
  });

  test("may be changed, moved or freed by their owner as soon as the call is over", async () => {
    const values = Float32Array.of(1, 2, 3);
    const uniform = Float32Array.of(5, 0, 0, 0);
    const shapeOf = [3];
    const x = new Variable(values, { shape: shapeOf });
    const kernel = new Kernel({ ...doubled, wgsl: doubled.wgsl.replace("2.0", "scale.x") });
    const [y] = kernel.run({ inputs: [x], outputs: [shapeOf], uniforms: [uniform], invocations: 3 });
    values.fill(9);
    uniform.fill(9);
    shapeOf[0] = 9;
    structuredClone(values.buffer, { transfer: [values.buffer] });
    expect([...(await x.read())]).toEqual([1, 2, 3]);
    expect([...(await y!.read())]).toEqual([5, 10, 15]);
    expect(x.shape).toEqual([3]);
    expect(() => new Variable(values)).toThrow(/transferred/);
    expect(() => kernel.run({ inputs: [x], outputs: [[3]], uniforms: [[1]] as never, invocations: 3 })).toThrow(
      TypeError,
    );
  });
});

describe("re-entrant calls", () => {
  test("from an element's getter in the middle of an upload don't mix with it", async () => {
    const inner: Variable[] = [];
    const array = withElement(() => {
      const y = square(new Variable([10, 20]));
      y.backward();
      inner.push(y);
      return 7;
    });
    const x = new Variable(array as never);
    expect([...(await x.read())]).toEqual([1, 7, 3]);
    for (const y of inner) expect([...(await y.read())]).toEqual([100, 400]);
    expect(inner.length).toBeGreaterThan(0);
  });

  test("from options, from a Function's forward and backward, from noGrad, fuse and grad keep each its own mode", async () => {
    const seen: boolean[] = [];
    class Outer extends Function {
      override forward(x: GpuArray): Variable {
        seen.push(gradEnabled());
        const a = new Variable([3]);
        const [slope] = [grad((b) => b.mul(b))(a)];
        const inner = square(a);
        seen.push(gradEnabled());
        return fuse((u) => u.mul(2))(square(x)).add(noGrad(() => slope.sub(inner).mul(0).reshape([])));
      }
      override backward(gy: Variable): Variable {
        seen.push(gradEnabled());
        const slope = grad((b) => square(b))(new Variable([1]));
        seen.push(gradEnabled());
        return gy.mul(this.input).mul(4).mul(slope.mul(0.5).reshape([]));
      }
    }
    const x = new Variable([1, 2]);
    const y = new Outer().call(x);
    y.backward({
      get createGraph(): boolean {
        square(new Variable(1)).backward();
        return false;
      },
    });
    expect([...(await y.read())]).toEqual([2, 8]);
    expect([...(await x.grad!.read())]).toEqual([4, 8]);
    expect(seen).toEqual([false, false, false, false]);
    await expectAllWell();
  });

  test("a backward from inside a backward of the same graph leaves one sum", async () => {
    const x = new Variable([3]);
    const inner = square(x);
    class Again extends Function {
      override forward(a: GpuArray): GpuArray {
        return a;
      }
      override backward(gy: Variable): Variable {
        inner.backward();
        return gy;
      }
    }
    new Again().call(inner).backward();
    expect(await x.grad!.item()).toBe(12);
  });
});

const anyText = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.constantFrom(
    hostileText,
    "\\",
    '"',
    "\n",
    "\r",
    "fn main() {}",
    "*/ @compute /*",
    "}\n@group(0)",
    "a\0b",
    "__proto__",
  ),
);

describe("names", () => {
  test("of Variables and Kernels are text in graphs and errors, whatever is in them, and never reach a shader", async () => {
    const codes: string[] = [];
    const { gpuDevice } = await init();
    const create = gpuDevice.createShaderModule.bind(gpuDevice);
    gpuDevice.createShaderModule = (descriptor) => {
      codes.push(descriptor.code);
      return create(descriptor);
    };
    try {
      await fc.assert(
        fc.asyncProperty(anyText, async (name) => {
          const x = new Variable([1, 2, 3], { name });
          const y = square(x);
          const dot = toDot(y);
          const labels = [...dot.matchAll(/label="((?:[^"\\]|\\.)*)", shape/gs)].map(([, label]) => label);
          expect(labels).toHaveLength(3);
          // Outside of the quoted labels there is nothing but what Graphviz knows.
          expect(dot.replaceAll(/"(?:[^"\\]|\\.)*"/gs, "").replaceAll(/[\w\s{}[\]=,;>-]/g, "")).toBe("");
          expect(dot.split("\n")).toHaveLength(2 + 3 + 2 + 1);
          const kernel = new Kernel({ ...doubled, name });
          const [z] = kernel.run({ inputs: [x], outputs: [[3]], uniforms: [new Float32Array(4)], invocations: 3 });
          expect([...(await z!.read())]).toEqual([2, 4, 6]);
          expect(() => x.add([1, 2])).toThrow(RangeError);
        }),
        { numRuns: 60, seed: 5 },
      );
      expect(new Set(codes.filter((code) => code.includes("2.0 * x[id.x]"))).size).toBe(1);
      expect(codes.filter((code) => code.includes(hostileText) || code.includes("*/ @compute /*"))).toEqual([]);
    } finally {
      Reflect.deleteProperty(gpuDevice, "createShaderModule");
    }
  });

  test("of element-wise functions are identifiers, or a WgslError", async () => {
    await fc.assert(
      fc.asyncProperty(anyText, async (name) => {
        const error = await outcomeOf(() =>
          elementwise(
            `fn ${name}_forward(x: f32) -> f32 { return x; } fn ${name}_backward(gy: f32) -> f32 { return gy; }`,
          )(new Variable([1])),
        );
        expect(error === null || isGpugradError(error)).toBe(true);
      }),
      { numRuns: 100, seed: 5 },
    );
  });
});

const hostileWgsl: Record<string, string> = {
  empty: "",
  "own bindings":
    "@group(0) @binding(0) var<storage, read> array_x: array<f32>; fn f_forward(x: f32) -> f32 { return x; }",
  "own entry point": "fn f_forward(x: f32) -> f32 { return x; } @compute @workgroup_size(1) fn main() {}",
  "own entry point, spread out":
    "fn f_forward(x: f32) -> f32 { return x; } @ /* */ compute @workgroup_size(1) fn f_main() {}",
  "the harness's main": "fn f_forward(x: f32) -> f32 { return x; } fn main() {}",
  "the harness's names": "fn f_forward(x: f32) -> f32 { return array_x[0].x + result_0[0].x; }",
  "calls main": "fn f_forward(x: f32) -> f32 { main(vec3u(), vec3u()); return x; }",
  recursion: "fn f_forward(x: f32) -> f32 { return f_forward(x); }",
  "mutual recursion": "fn f_forward(x: f32) -> f32 { return f_g(x); } fn f_g(x: f32) -> f32 { return f_forward(x); }",
  "missing return": "fn f_forward(x: f32) -> f32 { }",
  "return of another type": "fn f_forward(x: f32) -> f32 { return 1u; }",
  "another function's names":
    "fn f_forward(x: f32) -> f32 { return x; } fn square_forward(x: f32) -> f32 { return 7.0; }",
  "math's names": "fn math_forward(x: f32) -> f32 { return x; }",
  "math redefined": "fn f_forward(x: f32) -> f32 { return math_exp(x); } fn math_exp(x: f32) -> f32 { return 7.0; }",
  "math used": "fn f_forward(x: f32) -> f32 { return math_nothing(x); }",
  "unclosed brace": "fn f_forward(x: f32) -> f32 { return x;",
  "brace too many": "fn f_forward(x: f32) -> f32 { return x; } }",
  "unclosed comment": "fn f_forward(x: f32) -> f32 { return x; } /* ",
  "comment that closes": "fn f_forward(x: f32) -> f32 { return x; } */",
  "null character": "fn f_forward(x: f32) -> f32 { return x\0; }",
  "lone surrogate": "fn f_forward(x: f32) -> f32 { return x; } // \ud800",
  "other line ends": "fn f_forward(x: f32) -> f32 { return x; } // \u2028 fn main() {}",
  "line end in a comment": "fn f_forward(x: f32) -> f32 { return x; } //\r fn main() {}",
  "private variable": "var<private> f_state: f32; fn f_forward(x: f32) -> f32 { f_state += x; return f_state; }",
  "workgroup variable": "var<workgroup> f_state: f32; fn f_forward(x: f32) -> f32 { return f_state; }",
  barrier: "fn f_forward(x: f32) -> f32 { workgroupBarrier(); return x; }",
  discard: "fn f_forward(x: f32) -> f32 { discard; }",
  override: "override f_o: f32 = 1.0; fn f_forward(x: f32) -> f32 { return x * f_o; }",
  enable: "enable f16; fn f_forward(x: f32) -> f32 { return x; }",
  requires: "requires nothing; fn f_forward(x: f32) -> f32 { return x; }",
  diagnostic: "diagnostic(off, derivative_uniformity); fn f_forward(x: f32) -> f32 { return x; }",
  "keyword as a name": "fn if_forward(x: f32) -> f32 { return x; }",
  "keyword as a parameter": "fn f_forward(fn: f32) -> f32 { return fn; }",
  "a parameter called i": "fn f_forward(i: f32) -> f32 { return i; }",
  "a parameter called id": "fn f_forward(id: f32, groups: f32) -> f32 { return id + groups; }",
  "a parameter twice": "fn f_forward(x: f32, x: f32) -> f32 { return x; }",
  "a parameter called x4": "fn f_forward(x4: f32, x: f32) -> f32 { return x4 + x; }",
  "five parameters": "fn f_forward(a: f32, b: f32, c: f32, d: f32, e: f32) -> f32 { return a; }",
  "no parameters": "fn f_forward() -> f32 { return 1.0; }",
  "a pointer": "fn f_forward(x: ptr<function, f32>) -> f32 { return *x; }",
  "backward of another shape":
    "fn f_forward(x: f32) -> f32 { return x; } fn f_backward(gy: f32) -> vec2f { return vec2f(gy); }",
  "backward with a stranger": "fn f_forward(x: f32) -> f32 { return x; } fn f_backward(z: f32) -> f32 { return z; }",
  "two forwards": "fn f_forward(x: f32) -> f32 { return x; } fn g_forward(x: f32) -> f32 { return x; }",
  "a struct called main": "struct f_s { x: f32 } alias main = f32; fn f_forward(x: f32) -> f32 { return x; }",
  "very long": `fn f_forward(x: f32) -> f32 { var y = x; ${"y += 1.0; ".repeat(3000)} return y; }`,
  "very deep": `fn f_forward(x: f32) -> f32 { return ${"(".repeat(2000)}x${")".repeat(2000)}; }`,
  "very many names": `${Array.from({ length: 3000 }, (_, k) => `const f_c${k} = ${k};`).join(" ")} fn f_forward(x: f32) -> f32 { return x; }`,
};

describe("a user's WGSL", () => {
  test.each(Object.keys(hostileWgsl))(
    "%s: works, or is a WgslError; a healthy function beside it works",
    async (name) => {
      const x = new Variable([1, 2, 3]);
      const before = square(x);
      const error = await outcomeOf(async () => {
        const f = elementwise(hostileWgsl[name]!);
        const operands = f.Node.length === 0 ? new f.Node().source.inputs.map(() => x) : [x];
        const y = f(...operands);
        const values = await y.read();
        expect(values).toHaveLength(3);
        if (y.requiresGrad) y.backward();
        await prepare(f);
        return fuse((...args: Variable[]) => square(f(...args.slice(0, 1).flatMap((a) => operands.map(() => a)))))(x);
      });
      if (error !== null) expect(isGpugradError(error), told(error)).toBe(true);
      expect([...(await before.read())]).toEqual([1, 4, 9]);
      await expectAllWell();
    },
  );

  test("can't reach over the end of its arrays: what it reads there is nobody else's", async () => {
    const secret = new Variable(new Float32Array(1024).fill(1234.5));
    const kernel = new Kernel({
      name: "reach",
      wgsl: `
        @group(0) @binding(0) var<storage, read> x: array<f32>;
        @group(0) @binding(1) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(64)
        fn main(@builtin(global_invocation_id) id: vec3u) {
          y[id.x] = x[id.x + 100000u];
          y[id.x + 100000u] = 7.0;
        }`,
      bindings: ["input", "output"],
    });
    const [y] = kernel.run({ inputs: [new Variable([1, 2, 3])], outputs: [[64]], invocations: 64 });
    expect([...(await y!.read())]).not.toContain(1234.5);
    expect((await secret.read()).every((number) => number === 1234.5)).toBe(true);
  });
});
