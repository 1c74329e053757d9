/** What `npm start` prints of a run, and what is wrong with its numbers. */

/** @typedef {import("../demo/headless.js").Report} Report */

/** @type {readonly ["x", "a", "b", "y"]} */
const names = ["x", "a", "b", "y"];

/** The seed's example in float64. The gradient of x is what the seed prints. */
const b = Math.exp(0.25);
const expected = {
  x: { data: 0.5, grad: 3.297442541400256 },
  a: { data: 0.25, grad: 2 * b * b },
  b: { data: b, grad: 2 * b },
  y: { data: b * b, grad: 1 },
};

/** How far a float32 result of the seed's example may be off, relative to its value. */
const tolerance = 3e-7;

/**
 * @param {Report} report
 * @returns {string[]} what is wrong, one sentence each; empty where the numbers are right
 */
export function findWrong({ seed, size, times, comparison }) {
  const wrong = [];
  for (const name of names) {
    for (const kind of /** @type {const} */ (["data", "grad"])) {
      const value = seed[name][kind];
      const right = expected[name][kind];
      if (!atMost(Math.abs(value / right - 1), tolerance)) {
        wrong.push(`the seed's example: ${name}.${kind} is ${value}, must be ${right}`);
      }
    }
  }
  if (comparison.elements !== size) wrong.push(`${comparison.elements} of ${size} elements were compared`);
  for (const [what, errors] of Object.entries({ y: comparison.y, "x.grad": comparison.gradient })) {
    if (!atMost(errors.shareOfBound, 1) || !atMost(errors.largest, 1e-6)) {
      wrong.push(`${size} elements: ${what} is off by more than float32 can explain, relative error ${errors.largest}`);
    }
  }
  if (!(times.forward > 0 && times.backward > 0)) wrong.push("no time was measured");
  return wrong;
}

/**
 * Infinity and NaN don't come through from the page: they arrive as null.
 *
 * @param {unknown} value
 * @param {number} limit
 */
function atMost(value, limit) {
  return typeof value === "number" && value <= limit;
}

/**
 * @param {Report} report
 * @returns {string}
 */
export function show({ seed, size, times, comparison }) {
  const nodes = names.map((name) => {
    const { data, grad } = seed[name];
    return `  ${name}   data ${float32(data).padEnd(12)} grad ${float32(grad)}`;
  });
  /** @type {(name: string, gpugrad: number, loop: number) => string} */
  const row = (name, gpugrad, loop) =>
    `  ${name.padEnd(10)}${milliseconds(gpugrad).padStart(14)}${milliseconds(loop).padStart(18)}`;
  /** @type {(name: string, errors: Report["comparison"]["y"]) => string} */
  const errors = (name, { largest, at, shareOfBound }) =>
    `  ${name.padEnd(10)}${largest.toExponential(2)} at x = ${float32(at)}, ${Math.round(100 * shareOfBound)} % of the bound`;
  return [
    "The seed's example: x → Square → a → Exp → b → Square → y, at x = 0.5",
    ...nodes,
    "",
    `The same for ${size.toLocaleString("en-US")} elements, x from -1 to 1`,
    `  ${"".padEnd(10)}${"gpugrad".padStart(14)}${"JavaScript loop".padStart(18)}`,
    row("forward", times.forward, comparison.forward),
    row("backward", times.backward, comparison.backward),
    "",
    "Largest relative error against float64",
    errors("y", comparison.y),
    errors("x.grad", comparison.gradient),
    "",
  ].join("\n");
}

/** @param {number} value */
function milliseconds(value) {
  return `${value < 10 ? Number(value.toPrecision(2)) : value.toFixed(0)} ms`;
}

/**
 * Nine digits tell every float32 number from all others.
 *
 * @param {number} value
 */
function float32(value) {
  return String(Number(value.toPrecision(9)));
}
