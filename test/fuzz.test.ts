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
  square,
  stats,
  sum,
  toDot,
  valueAndGrad,
  Variable,
} from "../src/index.js";
import { gradEnabled } from "../src/grad-mode.js";
import { currentTrace } from "../src/trace.js";
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
  // What a revoked Proxy throws wherever it is touched, and a class that is called as a function.
  (error instanceof TypeError && /proxy that has been revoked|Class constructor/.test(error.message));

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
  "many ones": () => new Array(300).fill(1),
  "many twos": () => new Array(40).fill(2),
  "text array": () => ["1", "2"],
  "ragged array": () => [[1, 2], [3]],
  "deep array": () => {
    let array: unknown = 1;
    for (let k = 0; k < 5000; k++) array = [array];
    return array;
  },
  "cyclic array": cyclic,
  "sparse array": () => new Array(5),
  "huge sparse array": () => new Array(2 ** 32 - 1),
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
  "a Variable's prototype": () => Variable.prototype as unknown,
  "a GpuArray's prototype": () => GpuArray.prototype as unknown,
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
    const { value } = Object.getOwnPropertyDescriptor(Variable.prototype, name) ?? {};
    return typeof value === "function" && !["constructor", "setCreator", "receiveGrad", "addConsumer"].includes(name);
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
  expect(currentTrace()).toBeNull();
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
  test(`to each of ${Object.keys(all).length} entries: a typed error or a result, and the state as before`, async () => {
    await expectAllWell();
    await collect();
    const before = stats().liveBytes;
    const seen = new Set<string>();
    const wrong = new Map<string, string>();
    const runs = fc.sample(
      fc.tuple(fc.constantFrom(...Object.keys(all)), fc.array(value, { minLength: 1, maxLength: 4 })),
      {
        numRuns: 12_000,
        seed: 5,
      },
    );
    for (const [index, [entry, names]] of runs.entries()) {
      const call = all[entry] as (...args: unknown[]) => unknown;
      const start = performance.now();
      const error = await outcomeOf(() => call(...names.map(make)));
      if (performance.now() - start > 300) console.log(entry, names.join(), performance.now() - start);
      if (index % 200 === 0) console.log(index);
      seen.add(entry);
      if (error !== null && !isAllowed(error))
        wrong.set(told(error).split("\n").slice(0, 4).join(), `${entry}(${names.join(", ")}): ${told(error)}`);
      expect(gradEnabled()).toBe(true);
      expect(currentTrace()).toBeNull();
      if (index % 50 === 0) await expectAllWell();
    }
    expect([...wrong.values()].join("\n\n")).toBe("");
    expect(seen.size).toBe(Object.keys(all).length);
    await expectAllWell();
    await expectBytes(before);
  });
});
