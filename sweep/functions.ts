/** The library's function for each row, called as anybody would. */
import * as g from "../src/index.js";
import { elementwise, Variable } from "../src/index.js";
import type { Gradient, Row } from "./table.js";

type Apply = (...operands: Variable[]) => Variable;

/** A function of one or two operands as one of a list. */
const unary =
  (f: (x: Variable) => Variable): Apply =>
  (x = new Variable(NaN)) =>
    f(x);
const binary =
  (f: (a: Variable, b: Variable) => Variable): Apply =>
  (a = new Variable(NaN), b = new Variable(NaN)) =>
    f(a, b);

const functions: Readonly<Record<string, Apply>> = {
  neg: unary(g.neg),
  abs: unary(g.abs),
  sign: unary(g.sign),
  relu: unary(g.relu),
  square: unary(g.square),
  sqrt: unary(g.sqrt),
  reciprocal: unary(g.reciprocal),
  exp: unary(g.exp),
  log: unary(g.log),
  sin: unary(g.sin),
  cos: unary(g.cos),
  tan: unary(g.tan),
  tanh: unary(g.tanh),
  sigmoid: unary(g.sigmoid),
  softplus: unary(g.softplus),
  erf: unary(g.erf),
  div: binary(g.div),
  pow: binary(g.pow),
  atan2: binary(g.atan2),
};

const sources = import.meta.glob<string>("../shaders/*.wgsl", { query: "?raw", import: "default", eager: true });

/** An own function of the same forward, without the gradient by hand. */
function derivedOf(name: string): Apply {
  const [forward] = sources[`../shaders/${name}.wgsl`]?.split(`fn ${name}_backward`) ?? [];
  if (forward === undefined) throw new Error(`there is no shader ${name}`);
  return elementwise<Variable[]>(forward);
}

const ofOwn: Readonly<Record<string, Apply>> = Object.fromEntries(
  Object.keys(functions).map((name) => [name, derivedOf(name)]),
);

/** The function of a row, or the one whose gradient the row is of. */
export function functionOf({ of, gradient }: Row): Apply {
  const f = (gradient?.derived === true ? ofOwn : functions)[of];
  if (f === undefined) throw new Error(`there is no function ${of}`);
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
