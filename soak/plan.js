/** The options of `npm run soak`. */
import { parseArgs } from "node:util";

export const usage = `usage: npm run soak -- [options]
  --minutes N   how long, 3 by default; fractions are fine
  --seed N      repeats the choices of a run that printed it; another one each time by default
  --help        this`;

/**
 * @param {string[]} args
 * @throws {Error} for an option that can't be understood
 */
export function plan(args) {
  const { values } = parseArgs({
    args,
    options: { minutes: { type: "string" }, seed: { type: "string" }, help: { type: "boolean", default: false } },
  });
  const minutes = Number(values.minutes ?? 3);
  if (!(minutes > 0 && minutes < 10_000)) throw new Error(`--minutes must be a number, not ${values.minutes}`);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  if (!Number.isSafeInteger(seed)) throw new Error(`--seed must be a whole number, not ${values.seed}`);
  return { help: values.help, minutes, seed };
}
