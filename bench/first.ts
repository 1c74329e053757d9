/** A fresh page in which one side computes its first gradient: how long after the page began to load is it here? */
import { compare } from "./compare.js";
import { inputFor } from "./problems.js";
import type { GraphCase, Problem, SideName } from "./protocol.js";
import { load } from "./side.js";

const parameters = new URLSearchParams(location.search);
const side = parameters.get("side") as SideName;
const problem: Problem<GraphCase> = { name: "firstGradient", n: Number(parameters.get("n")), depth: 3, math: "native" };

async function firstGradient(): Promise<number> {
  const { prepare } = await load[side]();
  const input = inputFor(problem.n);
  const work = await prepare(problem, input);
  const results = await work.results();
  // performance.now() counts from the navigation that brought this page.
  const ms = performance.now();
  compare(problem, side, results, {
    value: input.x.map((x) => Math.exp(x * x) ** 2),
    gradient: input.x.map((x) => 4 * x * Math.exp(x * x) ** 2),
  });
  return ms;
}

Object.assign(globalThis, { first: firstGradient() });
