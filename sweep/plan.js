/** The options of `npm run sweep`. */
import { parseArgs } from "node:util";

export const usage = `usage: npm run sweep -- [options]
  --only NAMES   functions, separated by commas: exp,sin or "exp backward"; all others keep their figures
  --of NAMES     every row of these functions: exp is exp, its gradients and its second derivative
  --stride N     every Nth of the 2^32 bit patterns instead of all; odd numbers meet all last digits
  --pairs N      random pairs for functions of two operands, instead of 2^24
  --quick        the same as --stride 4099 --pairs 1048576
  --node         in Node instead of Chrome, on the package webgpu
  --print        shows the table of what was swept, and writes no file
  --table        sweeps nothing, only writes the table again
  --help         this`;

/**
 * @param {string[]} args
 * @throws {Error} for an option that can't be understood
 */
export function plan(args) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string" },
      of: { type: "string" },
      stride: { type: "string" },
      pairs: { type: "string" },
      quick: { type: "boolean", default: false },
      node: { type: "boolean", default: false },
      print: { type: "boolean", default: false },
      table: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  return {
    help: values.help,
    node: values.node,
    print: values.print,
    /** Names of rows; null for all. */
    only: values.table ? [] : namesIn(values.only),
    /** Names of functions, all rows of which are meant; null for all. */
    of: namesIn(values.of),
    stride: count("stride", values.stride, values.quick ? 4099 : 1),
    pairs: count("pairs", values.pairs, values.quick ? 2 ** 20 : 2 ** 24),
  };
}

/** @param {string | undefined} text @returns {string[] | null} */
function namesIn(text) {
  return text?.split(",").map((name) => name.trim()) ?? null;
}

/**
 * @param {string} name
 * @param {string | undefined} text
 * @param {number} otherwise
 */
function count(name, text, otherwise) {
  const value = Number(text ?? otherwise);
  if (!Number.isSafeInteger(value) || value < 1 || value > 2 ** 32) {
    throw new Error(`--${name} must be a whole number from 1 to 2^32, not ${text}`);
  }
  return value;
}
