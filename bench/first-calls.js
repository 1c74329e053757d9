/**
 * `node bench/first-calls.js [nodes …]`: how long the first forward and backward of a fused chain take, by its length, and
 * those of repeated grad. Most of it is the driver's compiler, so each is measured in a browser that has cached nothing.
 */
import { launch, serve } from "./browser.js";

/** @import { FirstCall } from "./protocol.js" */

const given = process.argv.slice(2).map(Number);
const lengths = given.length > 0 ? given : [500, 1000, 2000, 4000, 6000];

/**
 * @param {string} url
 * @param {string} what
 * @param {number} count
 * @returns {Promise<FirstCall>}
 */
async function firstCall(url, what, count) {
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.goto(`${url}first-call.html?what=${what}&count=${count}`);
    return await page.evaluate(
      () => /** @type {{ firstCall: Promise<FirstCall> }} */ (/** @type {unknown} */ (globalThis)).firstCall,
    );
  } finally {
    await browser.close();
  }
}

const server = await serve();
try {
  /** @param {string} title @param {FirstCall} call */
  const print = (title, { forward, backward, pipelines }) => {
    const seconds = [forward, backward].map((ms) => `${(ms / 1000).toFixed(1)} s`);
    process.stdout.write(`| ${[title, ...seconds, pipelines].join(" | ")} |\n`);
  };
  process.stdout.write("| fused | first forward | first backward | shaders |\n| --- | --- | --- | --- |\n");
  for (const length of lengths) print(`chain of ${length}`, await firstCall(server.url, "chain", length));
  if (given.length === 0) {
    for (const order of [2, 3, 4]) {
      print(`grad ${order} times of x⁴`, await firstCall(server.url, "grad", order));
      print(`the same, not fused`, await firstCall(server.url, "unfused", order));
    }
  }
} finally {
  await server.close();
}
