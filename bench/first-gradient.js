/** Measures a side's first gradient, counted from the page's navigation, in a browser that has cached nothing. */
import { launch } from "./browser.js";
import { sides } from "./report.js";

/** @import { Outcomes, Problem, SideName } from "./protocol.js" */

/**
 * @param {string} url
 * @param {Problem} problem
 * @param {number} rounds
 * @param {(message: string) => void} log
 * @returns {Promise<Outcomes>}
 */
export async function firstGradients(url, problem, rounds, log) {
  /** @type {Map<SideName, number[]>} */
  const times = new Map(sides.map((side) => [side, []]));
  for (let round = 0; round < rounds; round++) {
    for (let k = 0; k < sides.length; k++) {
      const side = sides[(round + k) % sides.length];
      if (side === undefined) continue;
      const ms = await firstGradient(url, side, problem.n);
      times.get(side)?.push(ms);
      log(`${side} ${ms.toFixed(0)} ms`);
    }
  }
  return Object.fromEntries([...times].map(([side, own]) => [side, { times: own }]));
}

/**
 * @param {string} url
 * @param {SideName} side
 * @param {number} n
 */
async function firstGradient(url, side, n) {
  const browser = await launch();
  try {
    // The browser itself starts its GPU process before the page counts.
    const before = await browser.newPage();
    await before.goto("chrome://gpu");
    await before.close();
    const page = await browser.newPage();
    await page.goto(`${url}first.html?side=${side}&n=${n}`);
    return await page.evaluate(
      () => /** @type {{ first: Promise<number> }} */ (/** @type {unknown} */ (globalThis)).first,
    );
  } finally {
    await browser.close();
  }
}
