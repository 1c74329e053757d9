/** The library's function for each row, called as anybody would. */
import * as g from "../src/index.js";
import { elementwise, Variable } from "../src/index.js";
import type { Gradient, Row } from "./table.js";

type Apply = (...operands: Variable[]) => Variable;

const library: Readonly<Record<string, unknown>> = g;
const sources = import.meta.glob<string>("../shaders/*.wgsl", { query: "?raw", import: "default", eager: true });

/** An own function of the same forward, without the gradient by hand. */
function derivedOf(name: string): Apply {
  const [forward] = sources[`../shaders/${name}.wgsl`]?.split(`fn ${name}_backward`) ?? [];
  if (forward === undefined) throw new Error(`there is no shader ${name}`);
  return elementwise<Variable[]>(forward);
}

const derived = new Map<string, Apply>();

/** The function of a row, or the one whose gradient the row is of. */
export function functionOf({ of, gradient }: Row): Apply {
  if (gradient?.derived !== true) {
    const f = library[of];
    if (typeof f !== "function") throw new Error(`src/index.ts exports no function ${of}`);
    return f as Apply;
  }
  const f = derived.get(of) ?? derivedOf(of);
  derived.set(of, f);
  return f;
}

/** What is done to the results before they are looked at: a test plants an error here. */
export type Afterwards = (result: Variable) => Variable;

/** The results of a row for these operands; `b` is for the second, where there is one. */
export async function compute(
  row: Row,
  a: Float32Array,
  b: Float32Array,
  afterwards?: Afterwards,
): Promise<Float32Array> {
  const { gradient } = row;
  const operands = (row.operands === 2 ? [a, b] : [a]).map(
    (values, k) => new Variable(values, { requiresGrad: gradient?.operand === k }),
  );
  const y = functionOf(row)(...operands);
  const result = gradient === null ? y : gradientOf(y, operands[gradient.operand], gradient);
  const looked = afterwards === undefined ? result : afterwards(result);
  try {
    return await looked.read();
  } finally {
    for (const variable of [looked, result, y, ...operands]) variable.dispose();
  }
}

function gradientOf(y: Variable, x: Variable | undefined, { order, createGraph }: Gradient): Variable {
  y.backward({ createGraph });
  const first = x?.grad;
  if (x === undefined || first === null || first === undefined) throw new Error("there is no gradient");
  if (order === 1) return first;
  x.clearGrad();
  first.backward();
  const second = x.grad;
  first.dispose();
  if (second === null) throw new Error("there is no second derivative");
  return second;
}
