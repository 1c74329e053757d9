/** Stencils against float64: values, gradients, and what these change by, at every boundary and in every number of axes. */
import { beforeAll, describe, expect, test } from "vitest";
import {
  grad,
  init,
  mul,
  stencil,
  sum,
  Variable,
  type Boundary,
  type Operand,
  type StencilFunction,
} from "../../src/index.js";
import { expectClose, sizeOf, spread } from "../reference/numbers.js";
import { forwardOf, gradientsOf, secondOf, type ReferenceInput } from "../reference/stencils.js";
import { cases, type StencilCase } from "./stencil-cases.js";

beforeAll(async () => {
  await init();
});

const boundaries: readonly Boundary[] = ["clamp", "wrap", "zero", 0.75];

/** Odd, and of different lengths. */
const extents: Readonly<Record<number, readonly number[]>> = { 1: [13], 2: [5, 7], 3: [3, 5, 4] };

/** Shorter than the reads go. */
const shortExtents: Readonly<Record<number, readonly (readonly number[])[]>> = {
  1: [[1], [2], [3]],
  2: [
    [1, 1],
    [2, 1],
    [1, 5],
  ],
  3: [
    [1, 2, 1],
    [2, 1, 4],
  ],
};

interface Given {
  readonly reference: readonly ReferenceInput[];
  readonly shapes: readonly (readonly number[])[];
  readonly gy: Float32Array;
  readonly outputShape: readonly number[];
}

function given({ inputs, f }: StencilCase, boundary: Boundary, extent: readonly number[], seed: number): Given {
  const shapes: (readonly number[])[] = [];
  const reference = Object.entries(inputs).map(([name, components], k): ReferenceInput => {
    const shape = components === 0 ? [] : components === 1 ? extent : [...extent, components];
    shapes.push(shape);
    const values = spread(sizeOf(shape), components === 0 ? [0.5, 1] : [-1, 1], seed + k);
    return { name, boundary: components === 0 ? null : boundary, components: Math.max(1, components), values };
  });
  const count = forwardOf(f, reference, extent).length / sizeOf(extent);
  const outputShape = count === 1 ? extent : [...extent, count];
  return { reference, shapes, outputShape, gy: spread(sizeOf(outputShape), [-1, 1], seed + 9) };
}

function leaf(values: ArrayLike<number>, shape: readonly number[]): Variable {
  return new Variable(Float32Array.from(values), { shape, requiresGrad: true });
}

/** Relative to the largest: what is added up may cancel. */
async function expectAs(found: Variable | null | undefined, wanted: readonly number[], relative = 3e-6): Promise<void> {
  const largest = Math.max(...wanted.map(Math.abs), 0.1);
  expectClose((await found?.read()) ?? [], wanted, 0, relative * largest);
}

const made = new Map<string, StencilFunction>();

/** Each compiled once. */
function stencilOf({ wgsl, dimensions }: StencilCase, boundary: Boundary): StencilFunction {
  const key = `${boundary} ${wgsl}`;
  let f = made.get(key);
  if (f === undefined) made.set(key, (f = stencil(wgsl, { dimensions, boundary })));
  return f;
}

async function expectRight(one: StencilCase, boundary: Boundary, extent: readonly number[], seed = 0): Promise<void> {
  const { reference, shapes, gy, outputShape } = given(one, boundary, extent, seed);
  const f = stencilOf(one, boundary);
  const xs = reference.map(({ values }, k) => leaf(values, shapes[k] ?? []));
  const g = leaf(gy, outputShape);
  const y = f(...xs);
  expect(y.shape).toEqual(outputShape);
  await expectAs(y, forwardOf(one.f, reference, extent));
  const gradients = gradientsOf(one.f, reference, extent, gy);
  sum(mul(y, g)).backward();
  for (const [k, x] of xs.entries()) await expectAs(x.grad, gradients[k] ?? []);
  // The gradient of <gradient, direction>, by the inputs and by g, where J v = d/dg <J' g, v>.
  const directions = reference.map(({ values }, k) => spread(values.length, [-1, 1], seed + 20 + k));
  const along = (...args: Variable[]): Variable => {
    const own = args.slice(0, xs.length);
    const weight = args[xs.length];
    if (weight === undefined) throw new Error("no gradient");
    const all = grad((...inner) => sum(mul(f(...inner), weight)), { argnums: own.map((_, k) => k) })(...own);
    return all
      .map((gradient, k) => sum(mul(gradient, leaf(directions[k] ?? [], shapes[k] ?? []))))
      .reduce((a, b) => a.add(b));
  };
  const argnums = [...xs.keys(), xs.length];
  const found = grad(along, { argnums })(...xs, g);
  const wanted = secondOf(one.f, reference, extent, gy, directions);
  for (const [k] of xs.entries()) await expectAs(found[k], wanted[k] ?? [], 1e-5);
  // <J v, g> = <v, J' g>, with J v from the graph and J' g from differences.
  const changes = await found[xs.length]?.read();
  const left = dot(changes ?? [], gy);
  const right = directions.reduce((total, direction, k) => total + dot(direction, gradients[k] ?? []), 0);
  expect(Math.abs(left - right)).toBeLessThan(1e-5 * Math.max(1, norm(changes ?? []) * norm(gy)));
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((total, x, k) => total + x * (b[k] ?? NaN), 0);
}

function norm(a: ArrayLike<number>): number {
  return Math.sqrt(dot(a, a));
}

for (const boundary of boundaries) {
  describe(`values, gradients and second derivatives, boundary ${boundary}`, () => {
    test.each(cases)("$name, $dimensions dimensions", async (one) => {
      await expectRight(one, boundary, extents[one.dimensions] ?? []);
    });

    test.each(cases)("$name, axes shorter than its reads", async (one) => {
      for (const extent of shortExtents[one.dimensions] ?? []) await expectRight(one, boundary, extent, 3);
    });
  });
}

test("each field has its own boundary", async () => {
  const one: StencilCase = {
    name: "",
    dimensions: 1,
    wgsl: "fn each_forward(a: field, b: field, c: field) -> f32 { return a(1) * b(-2) + c(3) * a(-1); }",
    inputs: { a: 1, b: 1, c: 1 },
    f: ({ a, b, c }) => [(a?.(1) ?? 0) * (b?.(-2) ?? 0) + (c?.(3) ?? 0) * (a?.(-1) ?? 0)],
  };
  const own: Readonly<Record<string, Boundary>> = { a: "clamp", b: "wrap", c: 2 };
  const { reference, shapes, gy } = given(one, "zero", [6], 5);
  const different = reference.map((input) => ({ ...input, boundary: own[input.name] ?? null }));
  const f = stencil(one.wgsl, { dimensions: 1, boundary: own });
  const xs = different.map(({ values }, k) => leaf(values, shapes[k] ?? []));
  const y = f(...xs);
  await expectAs(y, forwardOf(one.f, different, [6]));
  sum(mul(y, new Variable(gy))).backward();
  const wanted = gradientsOf(one.f, different, [6], gy);
  for (const [k, x] of xs.entries()) await expectAs(x.grad, wanted[k] ?? []);
});

test("third derivatives: of the cube of a neighbour, 6", async () => {
  const cube = stencil<[Operand]>("fn cube_forward(u: field) -> f32 { return u(1) * u(1) * u(1); }", {
    dimensions: 1,
    boundary: "clamp",
  });
  const total = (x: Variable): Variable => sum(cube(x));
  const first = grad(total);
  const second = grad((x) => sum(first(x)));
  const third = grad((x) => sum(second(x)));
  const x = new Variable([1, 2, -3]);
  // The first cell is read by none, the last by two.
  expectClose(await first(x).read(), [0, 12, 54]);
  expectClose(await second(x).read(), [0, 12, -36]);
  expectClose(await third(x).read(), [0, 6, 12]);
});
