/** From measured times to rows, and from rows to a table for people. */

/** @import { Outcomes, Problem, Report, Row, SideName } from "./protocol.js" */

/** @type {readonly SideName[]} */
export const sides = ["gpugrad", "handwritten", "tfjs", "jaxEager", "jaxJit", "javascript"];

/** @type {Record<SideName, string>} */
const titles = {
  gpugrad: "gpugrad",
  handwritten: "hand",
  tfjs: "TF.js",
  jaxEager: "jax",
  jaxJit: "jax jit",
  javascript: "JS",
};

/**
 * @param {Problem} problem
 * @param {Outcomes} outcomes
 * @returns {Row}
 */
export function rowOf(problem, outcomes) {
  /** @type {Row["ms"]} */
  const ms = { gpugrad: null, handwritten: null, tfjs: null, jaxEager: null, jaxJit: null, javascript: null };
  /** @type {Partial<Record<SideName, string>>} */
  const notes = {};
  let rounds = 0;
  for (const side of sides) {
    const outcome = outcomes[side];
    if (outcome === undefined) continue;
    if ("unable" in outcome) notes[side] = outcome.unable;
    else {
      rounds = outcome.times.length;
      ms[side] = rounded(median(outcome.times));
    }
  }
  /** @param {Exclude<SideName, "gpugrad">} side */
  const ratio = (side) => (ms.gpugrad === null || ms[side] === null ? null : rounded(ms.gpugrad / ms[side]));
  return {
    ...problem,
    ms,
    ratio: {
      handwritten: ratio("handwritten"),
      tfjs: ratio("tfjs"),
      jaxEager: ratio("jaxEager"),
      jaxJit: ratio("jaxJit"),
      javascript: ratio("javascript"),
    },
    rounds,
    notes,
  };
}

/** @param {readonly number[]} times */
function median(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** @param {number} number */
function rounded(number) {
  return Number(number.toPrecision(4));
}

/**
 * @param {Report} report
 * @returns {string}
 */
export function table({ adapter, cases }) {
  const others = sides.filter((side) => side !== "gpugrad");
  const head = [
    "case",
    "n",
    "depth",
    "math",
    ...sides.map((side) => titles[side]),
    ...others.map((side) => `/ ${titles[side]}`),
  ];
  const rows = cases.map((row) => [
    row.name,
    size(row.n),
    `${row.depth}`,
    row.math,
    ...sides.map((side) => shown(row.ms[side], 1)),
    ...others.map((side) => shown(row.ratio[side], 2)),
  ]);
  const widths = head.map((title, k) => Math.max(title.length, ...rows.map((row) => row[k]?.length ?? 0)));
  /** @param {string[]} cells */
  const line = (cells) =>
    cells.map((cell, k) => (k === 0 ? cell.padEnd(widths[k] ?? 0) : cell.padStart(widths[k] ?? 0))).join("  ");
  const notes = new Set(cases.flatMap((row) => Object.values(row.notes).map((note) => `${row.name}: ${note}`)));
  return [
    `Value and gradient (of swish and the like: the gradient alone) in ms, medians; then gpugrad divided by each. Adapter: ${Object.values(adapter).filter(Boolean).join(", ")}`,
    "",
    line(head),
    line(widths.map((width) => "-".repeat(width))),
    ...rows.map(line),
    ...(notes.size > 0 ? ["", ...notes] : []),
  ].join("\n");
}

/** @param {number} n */
function size(n) {
  return Number.isInteger(Math.log2(n)) ? `2^${Math.log2(n)}` : `${n}`;
}

/**
 * @param {number | null} number
 * @param {number} decimals
 */
function shown(number, decimals) {
  return number === null ? "-" : number.toFixed(decimals);
}
