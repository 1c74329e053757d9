/** The command line, and which problems it asks for. */
import { parseArgs } from "node:util";

/** @import { CaseName, Effort, Problem } from "./protocol.js" */

export const usage = `node bench/run.js [--quick] [--only chain,deep] [--rounds N] [--json] [--node]

  --quick       smaller sizes and fewer rounds: within a minute
  --only NAMES  only these cases, of chain, fused, deep, wide, sum, firstGradient, train, heatForward, heatBackward, guards;
                swish, gelu, geluSlope, gauss, huber, kepler, cubeRoot, or derived for these seven; matmul256, matmul512, matmul1024, matmul64x4096x64,
                matmul1000x784x10, or matmul for these five
  --rounds N    measure each case N times instead of as often as its time allows
  --json        one JSON object as the last line
  --node        in Node instead of Chrome, on the package webgpu; without firstGradient`;

/** @type {readonly CaseName[]} */
const names = [
  "chain",
  "fused",
  "deep",
  "wide",
  "sum",
  "firstGradient",
  "train",
  "heatForward",
  "heatBackward",
  "guards",
];

/** The functions whose gradient is derived, and how many inputs they have. @type {readonly [CaseName, number][]} */
const derived = [
  ["swish", 1],
  ["gelu", 1],
  ["geluSlope", 1],
  ["gauss", 3],
  ["huber", 2],
  ["kepler", 2],
  ["cubeRoot", 1],
];

/** Products of matrices, by the elements of the result and the number of products summed. @type {readonly [CaseName, number, number][]} */
const products = [
  ["matmul256", 256 * 256, 256],
  ["matmul512", 512 * 512, 512],
  ["matmul1024", 1024 * 1024, 1024],
  ["matmul64x4096x64", 64 * 64, 4096],
  ["matmul1000x784x10", 1000 * 10, 784],
];

/**
 * @param {string[]} args
 * @returns {{ json: boolean, help: boolean, node: boolean, problems: Problem[], effort: Effort, fresh: number }} `fresh` is the number
 * of fresh pages for each side
 */
export function plan(args) {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      node: { type: "boolean", default: false },
      only: { type: "string" },
      rounds: { type: "string" },
    },
  });
  const { quick, json, help, node } = values;
  const groups = { derived: derived.map(([name]) => name), matmul: products.map(([name]) => name) };
  /** @type {string[]} */
  const all = [...names, ...groups.derived, ...groups.matmul];
  const only = values.only
    ?.split(",")
    .map((name) => name.trim())
    .flatMap((name) => (name === "derived" || name === "matmul" ? groups[name] : [name]));
  const unknown = only?.find((name) => !all.some((known) => known === name));
  if (unknown !== undefined) throw new Error(`there is no case ${unknown}; there are ${all.join(", ")}`);
  const rounds = values.rounds === undefined ? null : Number(values.rounds);
  if (rounds !== null && !(Number.isInteger(rounds) && rounds > 0)) {
    throw new Error(`--rounds takes a whole number, not ${values.rounds ?? ""}`);
  }
  return {
    json,
    help,
    node,
    problems: allProblems(quick).filter(({ name }) => only?.includes(name) ?? true),
    effort: quick ? { rounds, budget: 1500, fewest: 3, most: 15 } : { rounds, budget: 10_000, fewest: 5, most: 41 },
    fresh: rounds ?? (quick ? 1 : 5),
  };
}

/**
 * @param {boolean} quick
 * @returns {Problem[]}
 */
function allProblems(quick) {
  const sizes = quick ? [2 ** 16, 2 ** 20] : [2 ** 16, 2 ** 20, 2 ** 24];
  /** @type {Problem["math"][]} */
  const modes = ["native", "exact"];
  /** @type {(name: CaseName, n: number, depth: number, math?: Problem["math"]) => Problem} */
  const problem = (name, n, depth, math = "native") => ({ name, n, depth, math });
  return [
    ...modes.flatMap((math) => sizes.map((n) => problem("chain", n, 3, math))),
    ...modes.flatMap((math) => sizes.map((n) => problem("fused", n, 3, math))),
    ...modes.map((math) => problem("deep", 1024, quick ? 500 : 2000, math)),
    problem("wide", 4096, quick ? 250 : 1000),
    problem("sum", 2 ** 20, 4),
    problem("firstGradient", 2 ** 16, 3),
    problem("train", 2 ** 16, quick ? 100 : 1000),
    problem("heatForward", quick ? 2 ** 18 : 2 ** 22, 2),
    problem("heatBackward", quick ? 2 ** 18 : 2 ** 22, 2),
    ...modes.map((math) => problem("guards", 2 ** 20, 3, math)),
    ...products.filter(([name]) => !quick || name !== "matmul1024").map((args) => problem(...args)),
    ...modes.flatMap((math) => derived.map(([name, inputs]) => problem(name, quick ? 2 ** 18 : 2 ** 22, inputs, math))),
  ];
}
