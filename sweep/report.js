/** The table of RELIABILITY.md. */

/** @import { Figure } from "./figures.js" */

export const begin = "<!-- written by npm run sweep -->";
export const end = "<!-- end -->";

/**
 * @param {readonly string[]} names the rows, in their order
 * @param {Readonly<Record<string, string>>} promises by row
 * @param {Readonly<Partial<Record<string, Figure>>>} figures by row; missing ones were never measured
 */
export function table(names, promises, figures) {
  const header = [
    "function",
    "promised",
    "largest error in ULP",
    "at",
    "above 1 ULP",
    "results below 2⁻¹²⁶",
    "out of order",
    "breaks",
    "operands",
    "cost",
    "measured",
  ];
  const lines = names.map((name) => {
    const figure = figures[name];
    if (figure === undefined) return [name, promises[name] ?? "", "not measured", "", "", "", "", "", "", "", ""];
    const { tally, sample, cost, date } = figure;
    return [
      name,
      promises[name] ?? "",
      ...showErrors(tally),
      showSubnormal(tally),
      String(tally.falls),
      String(tally.broken),
      showSample(sample),
      cost === null ? "" : `${cost.toFixed(1)} ×`,
      date,
    ];
  });
  const row = (/** @type {string[]} */ cells) => `| ${cells.join(" | ")} |`;
  return [row(header), row(header.map(() => "---")), ...lines.map(row)].join("\n");
}

/** @param {readonly Figure[]} figures @returns the machines they come from */
export function machines(figures) {
  const all = [...new Set(figures.map(({ adapter, browser }) => `${adapter} in ${browser}`))];
  return `Measured on ${all.join("; ")}.`;
}

/** @param {number} ulp @param {number} digits */
export function showError(ulp, digits) {
  return ulp >= 1e30 ? "infinite" : ulp.toFixed(digits);
}

/** @param {Figure["tally"]} tally @returns {string[]} the largest, where it is, and how many are above 1 ULP */
function showErrors({ largest, at, overOne, normal }) {
  return largest === 0 ? ["0", "", "none"] : [showError(largest, 3), at, showShare(overOne, normal)];
}

/** @param {number} part @param {number} whole */
function showShare(part, whole) {
  if (part === 0) return "none";
  const percent = (100 * part) / whole;
  return percent < 0.001 ? String(part) : `${Number(percent.toPrecision(2))} %`;
}

/** @param {Figure["tally"]} tally */
function showSubnormal({ subnormal, flushed, subnormalLargest, flushedOperands }) {
  const operands = flushedOperands > 0 ? "; operands too" : "";
  if (subnormal === 0) return `none${operands.replace("; operands too", "; operands flushed")}`;
  if (flushed > 0) return `flushed${operands}`;
  return subnormalLargest === 0 ? `kept${operands}` : `kept, to ${subnormalLargest.toFixed(2)} units${operands}`;
}

/** @param {Figure["sample"]} sample */
function showSample(sample) {
  if ("pairs" in sample) return `${sample.pairs.toLocaleString("en-US")} pairs`;
  return sample.stride === 1 ? "all 2³²" : `1 in ${sample.stride} of 2³²`;
}

/**
 * Puts the text between the marks.
 *
 * @param {string} document
 * @param {string} text
 * @throws {Error} where the marks are missing
 */
export function replaceBetweenMarks(document, text) {
  const from = document.indexOf(begin);
  const to = document.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`the document has no ${begin} … ${end}`);
  return `${document.slice(0, from + begin.length)}\n\n${text}\n\n${document.slice(to)}`;
}
