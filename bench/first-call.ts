/** A fresh page in which a fused function is called for the first time: how long until its numbers are here? */
import { exp, fuse, grad, init, sin, stats, sum, Variable } from "../src/index.js";
import type { FirstCall } from "./protocol.js";

const parameters = new URLSearchParams(location.search);
const count = Number(parameters.get("count"));

/** As many nodes: sums and products, and a sine or an exponential among twenty. */
function chain(x: Variable): Variable {
  let y = x;
  for (let k = 0; k < count; k++) {
    if (k % 20 === 10) y = sin(y);
    else if (k % 20 === 0) y = exp(y.mul(-1));
    else y = k % 2 === 0 ? y.mul(0.9) : y.add(x);
  }
  return y;
}

/** Differentiated so many times. */
function repeated(f: (x: Variable) => Variable): (x: Variable) => Variable {
  let g = f;
  for (let k = 0; k < count; k++) g = grad(g);
  return g;
}

const power = (x: Variable): Variable => x.pow(4);

const functions: Readonly<Record<string, () => (x: Variable) => Variable>> = {
  chain: () => fuse(chain),
  grad: () => repeated(fuse(power)),
  unfused: () => repeated(power),
};

async function firstCall(): Promise<FirstCall> {
  await init();
  const f = functions[parameters.get("what") ?? ""]?.();
  if (f === undefined) throw new Error("there is no such function");
  const x = new Variable([0.5, 0.25]);
  const start = performance.now();
  const y = f(x);
  await y.read();
  const middle = performance.now();
  sum(y).backward();
  await x.grad?.read();
  return { forward: middle - start, backward: performance.now() - middle, pipelines: stats().pipelines };
}

Object.assign(globalThis, { firstCall: firstCall() });
