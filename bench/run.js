/**
 * `npm run bench`: gpugrad beside hand-written WebGPU, TensorFlow.js, jax-js and plain JavaScript, in one page, or with
 * `--node` in Node.
 */
import { withModuleInNode } from "../scripts/in-node.js";
import { launch, serve } from "./browser.js";
import { firstGradients } from "./first-gradient.js";
import { plan, usage } from "./plan.js";
import { rowOf, table } from "./report.js";

/** @import { Page } from "puppeteer" */
/** @import { Outcomes, Page as BenchPage, Problem, Report, Row } from "./protocol.js" */

/** @param {string} message */
const log = (message) => process.stderr.write(`${message}\n`);

/**
 * @param {ReturnType<typeof plan>} what
 * @returns {Promise<Report>}
 */
function run(what) {
  return what.node ? runInNode(what) : runInPage(what);
}

/**
 * Without firstGradient, which is that of a page.
 *
 * @param {ReturnType<typeof plan>} what
 * @returns {Promise<Report>}
 */
function runInNode({ problems, effort }) {
  log("Building for Node …");
  // The standard output is the report's.
  console.info = (/** @type {string} */ message) => {
    log(`  ${message}`);
  };
  return withModuleInNode(import.meta.dirname, [], (/** @type {{ page: BenchPage }} */ { page }) =>
    measureAll(
      page,
      problems.filter(({ name }) => name !== "firstGradient"),
      (problem) => page.measure(problem, effort),
    ),
  );
}

/**
 * @param {ReturnType<typeof plan>} what
 * @returns {Promise<Report>}
 */
async function runInPage({ problems, effort, fresh }) {
  log("Building the pages …");
  const server = await serve();
  try {
    const browser = await launch();
    try {
      const page = await open(await browser.newPage(), server.url);
      return await measureAll(page, problems, (problem) =>
        problem.name === "firstGradient"
          ? firstGradients(server.url, problem, fresh, (message) => log(`  ${message}`))
          : page.measure(problem, effort),
      );
    } finally {
      await browser.close();
    }
  } finally {
    await server.close();
  }
}

/**
 * @param {BenchPage} page
 * @param {readonly Problem[]} problems
 * @param {(problem: Problem) => Promise<Outcomes>} measure
 * @returns {Promise<Report>}
 */
async function measureAll(page, problems, measure) {
  const adapter = await page.adapter();
  /** @type {Row[]} */
  const cases = [];
  for (const [index, problem] of problems.entries()) {
    const { name, n, depth, math } = problem;
    log(`[${index + 1}/${problems.length}] ${name}, n = ${n}, depth ${depth}, ${math} math`);
    const row = rowOf(problem, await measure(problem));
    cases.push(row);
    const ratios = Object.entries(row.ratio).map(([side, ratio]) => `${side} ${ratio ?? "-"}`);
    log(`  gpugrad ${row.ms.gpugrad ?? "-"} ms; divided by ${ratios.join(", ")}`);
  }
  return { adapter, cases };
}

/**
 * The page's functions, called from here. What the page logs is progress.
 *
 * @param {Page} page
 * @param {string} url
 * @returns {Promise<BenchPage>}
 */
async function open(page, url) {
  /** @type {Promise<never>} */
  const broken = new Promise((_, reject) => {
    page.on("error", (error) => {
      reject(new Error(`the page crashed: ${error.message}`));
    });
    page.on("pageerror", (error) => {
      reject(error instanceof Error ? error : new Error(String(error)));
    });
    page.on("console", (message) => {
      // WebGPU reports commands that it refused as warnings: what follows would be fast and wrong.
      if (message.type() === "warn" || message.type() === "error") reject(new Error(`Chrome says: ${message.text()}`));
      else log(`  ${message.text()}`);
    });
  });
  broken.catch(() => undefined);
  await page.goto(url);
  await page.waitForFunction("'bench' in globalThis");
  /** @typedef {{ bench: BenchPage }} Global */
  return {
    adapter: () =>
      Promise.race([
        page.evaluate(() => /** @type {Global} */ (/** @type {unknown} */ (globalThis)).bench.adapter()),
        broken,
      ]),
    measure: (problem, effort) =>
      Promise.race([
        page.evaluate(
          (p, e) => /** @type {Global} */ (/** @type {unknown} */ (globalThis)).bench.measure(p, e),
          problem,
          effort,
        ),
        broken,
      ]),
  };
}

try {
  const what = plan(process.argv.slice(2));
  if (what.help) {
    process.stdout.write(`${usage}\n`);
  } else {
    const report = await run(what);
    process.stdout.write(`${table(report)}\n`);
    if (what.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  }
} catch (error) {
  log(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
