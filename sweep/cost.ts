/** What gpugrad's own functions and gradients cost beside the driver's. */
import { elementwise, flush, init, Variable } from "../src/index.js";
import { functionOf } from "./functions.js";
import type { Row } from "./table.js";

interface Driver {
  readonly wgsl: string;
  /** The textbook's gradient, of x or a, b and y. */
  readonly gradient?: string;
  /** The operands that it is timed on. */
  readonly range: readonly [low: number, high: number];
}

/** The driver's own, or the textbook's formula on it. */
const drivers: Readonly<Partial<Record<string, Driver>>> = {
  exp: { wgsl: "exp(x)", range: [-8, 8] },
  log: { wgsl: "log(x)", range: [0, 16] },
  sin: { wgsl: "sin(x)", gradient: "cos(x)", range: [-8, 8] },
  cos: { wgsl: "cos(x)", gradient: "-sin(x)", range: [-8, 8] },
  tan: { wgsl: "tan(x)", gradient: "(1.0 + y * y)", range: [-8, 8] },
  tanh: { wgsl: "tanh(x)", gradient: "(1.0 - y * y)", range: [-4, 4] },
  sigmoid: { wgsl: "1.0 / (1.0 + exp(-x))", gradient: "(1.0 - y) * y", range: [-8, 8] },
  softplus: { wgsl: "log(1.0 + exp(x))", gradient: "1.0 / (1.0 + exp(-x))", range: [-8, 8] },
  pow: { wgsl: "pow(a, b)", gradient: "vec2f(b * pow(a, b - 1.0), y * log(a))", range: [0, 8] },
  atan2: { wgsl: "atan2(a, b)", gradient: "vec2f(b, -a) / (a * a + b * b)", range: [-8, 8] },
  square: { wgsl: "x * x", gradient: "(x + x)", range: [-8, 8] },
  sqrt: { wgsl: "sqrt(x)", gradient: "1.0 / (y + y)", range: [0, 16] },
  reciprocal: { wgsl: "1.0 / x", gradient: "-y * y", range: [-8, 8] },
  // The driver has no erf: only the gradients are compared.
  erf: { wgsl: "x", gradient: "1.1283791670955126 * exp(-x * x)", range: [-4, 4] },
  div: { wgsl: "a / b", gradient: "vec2f(1.0, -y) / b", range: [0, 8] },
};

/** Functions that are the driver's own already. */
const plain = ["square", "sqrt", "reciprocal", "erf", "div"];

const elements = 2 ** 22;
const rounds = 9;

/**
 * Time for 2²² elements divided by that of the driver's own, each the best of some rounds in turn: of the function, or of
 * its backward shader, which gives all gradients.
 */
export async function costOf(row: Row): Promise<number | null> {
  const { of, gradient, operands } = row;
  const driver = drivers[of];
  if (driver === undefined) return null;
  const isBackward = gradient !== null && gradient.order === 1 && !gradient.createGraph;
  if (gradient === null ? plain.includes(of) : !isBackward || driver.gradient === undefined) return null;
  const inputs = inputsFor(operands, driver.range, isBackward);
  // With exact math, what a source of one's own calls exp is gpugrad's, too.
  const candidates = [
    { f: functionOf(row), math: "exact" },
    { f: elementwise<Variable[]>(wgslOf(driver, operands)), math: "native" },
  ] as const;
  const best = candidates.map(() => Infinity);
  for (let round = 0; round < rounds; round++) {
    for (const [k, { f, math }] of candidates.entries()) {
      await init({ math });
      best[k] = Math.min(best[k] ?? Infinity, await (isBackward ? timeBackward(f, inputs) : timeForward(f, inputs)));
    }
  }
  await init({ math: "exact" });
  for (const input of inputs) input.dispose();
  return (best[0] ?? NaN) / (best[1] ?? NaN);
}

function inputsFor(count: number, [low, high]: Driver["range"], requiresGrad: boolean): Variable[] {
  const number = (i: number, k: number): number => low + (high - low) * (((i + 1) * (0.618034 + 0.1 * k)) % 1);
  return Array.from(
    { length: count },
    (_, k) =>
      new Variable(
        Float32Array.from({ length: elements }, (_, i) => number(i, k)),
        { requiresGrad },
      ),
  );
}

function wgslOf({ wgsl, gradient }: Driver, operands: number): string {
  const parameters = operands === 2 ? "a: f32, b: f32" : "x: f32";
  const forward = `fn driver_forward(${parameters}) -> f32 { return ${wgsl}; }`;
  if (gradient === undefined) return forward;
  const read = [...parameters.split(", "), "y: f32"].filter((parameter) =>
    new RegExp(`\\b${parameter.charAt(0)}\\b`).test(gradient),
  );
  const result = operands === 2 ? "vec2f" : "f32";
  return `${forward}
    fn driver_backward(${[...read, "gy: f32"].join(", ")}) -> ${result} { return gy * (${gradient}); }`;
}

type Apply = (...operands: Variable[]) => Variable;

async function timeForward(f: Apply, inputs: readonly Variable[]): Promise<number> {
  let y: Variable | null = null;
  const duration = await time(() => (y = f(...inputs)));
  (y as Variable | null)?.dispose();
  return duration;
}

async function timeBackward(f: Apply, inputs: readonly Variable[]): Promise<number> {
  const y = f(...inputs);
  flush();
  const duration = await time(() => {
    y.backward();
  });
  y.dispose();
  for (const input of inputs) input.clearGrad();
  return duration;
}

async function time(work: () => void): Promise<number> {
  const { queue } = (await init()).gpuDevice;
  await queue.onSubmittedWorkDone();
  const start = performance.now();
  work();
  flush();
  await queue.onSubmittedWorkDone();
  return performance.now() - start;
}
