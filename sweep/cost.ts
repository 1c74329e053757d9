/** What gpugrad's own functions cost beside the driver's. */
import { elementwise, flush, init, Variable, type ElementwiseFunction } from "../src/index.js";
import { functionOf } from "./functions.js";
import type { Row } from "./table.js";

/** The driver's own, or the textbook's formula on it, over the operands that it is timed on. */
const drivers: Readonly<Partial<Record<string, { wgsl: string; range: readonly [low: number, high: number] }>>> = {
  exp: { wgsl: "exp(x)", range: [-8, 8] },
  log: { wgsl: "log(x)", range: [0, 16] },
  sin: { wgsl: "sin(x)", range: [-8, 8] },
  cos: { wgsl: "cos(x)", range: [-8, 8] },
  tan: { wgsl: "tan(x)", range: [-8, 8] },
  tanh: { wgsl: "tanh(x)", range: [-4, 4] },
  sigmoid: { wgsl: "1.0 / (1.0 + exp(-x))", range: [-8, 8] },
  softplus: { wgsl: "log(1.0 + exp(x))", range: [-8, 8] },
  pow: { wgsl: "pow(a, b)", range: [0, 8] },
  atan2: { wgsl: "atan2(a, b)", range: [-8, 8] },
};

const elements = 2 ** 22;
const rounds = 9;

/** Time for 2²² elements divided by that of the driver's own, each the best of some rounds in turn. */
export async function costOf(row: Row): Promise<number | null> {
  const driver = drivers[row.name];
  if (driver === undefined) return null;
  const [low, high] = driver.range;
  const operands = Array.from(
    { length: row.operands },
    (_, k) =>
      new Variable(
        Float32Array.from({ length: elements }, (_, i) => low + (high - low) * (((i + 1) * (0.618034 + 0.1 * k)) % 1)),
        { requiresGrad: false },
      ),
  );
  const parameters = row.operands === 2 ? "a: f32, b: f32" : "x: f32";
  const theirs: ElementwiseFunction<Variable[]> = elementwise(
    `fn driver_forward(${parameters}) -> f32 { return ${driver.wgsl}; }`,
  );
  const candidates = [functionOf(row), theirs];
  const best = candidates.map(() => Infinity);
  for (let round = 0; round < rounds; round++) {
    for (const [k, f] of candidates.entries()) {
      best[k] = Math.min(best[k] ?? Infinity, await time(() => f(...operands)));
    }
  }
  for (const operand of operands) operand.dispose();
  return (best[0] ?? NaN) / (best[1] ?? NaN);
}

async function time(work: () => Variable): Promise<number> {
  const { queue } = (await init()).gpuDevice;
  await queue.onSubmittedWorkDone();
  const start = performance.now();
  const y = work();
  flush();
  await queue.onSubmittedWorkDone();
  const duration = performance.now() - start;
  y.dispose();
  return duration;
}
