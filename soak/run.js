/**
 * `npm run soak`: minutes of training, reading, disposing, forgetting, failing, and of devices lost and regained, at
 * random from a seed that it prints, in headless Chrome. The exit status is 0 where nothing leaked and nothing was
 * complained of.
 */
import { withServedPage } from "../scripts/served-page.js";
import { plan, usage } from "./plan.js";

/** @typedef {typeof import("./page.js")} SoakPage */
/** @import { Counts, Report, State } from "./page.js" */

/** @param {string} message */
const log = (message) => process.stderr.write(`${message}\n`);

/** @param {ReturnType<typeof plan>} what */
function run({ minutes, seed }) {
  return withServedPage(
    import.meta.dirname,
    ["--js-flags=--expose-gc", "--enable-precise-memory-info"],
    async (browser, address) => {
      log(`${await browser.version()}, ${minutes} minutes, seed ${seed}`);
      return soakIn(await browser.newPage(), address, minutes, seed);
    },
  );
}

/**
 * @param {import("puppeteer").Page} page
 * @param {string} address
 * @param {number} minutes
 * @param {number} seed
 * @returns {Promise<boolean>} whether all is well
 */
async function soakIn(page, address, minutes, seed) {
  /** @type {string[]} */
  const complaints = [];
  /** @type {Promise<never>} */
  const crashed = new Promise((_, reject) => {
    page.on("error", (error) => {
      reject(new Error(`the page crashed: ${error.message}`));
    });
  });
  page.on("pageerror", (error) => complaints.push(`page error: ${String(error)}`));
  page.on("console", (message) => {
    // Vite's own messages come as debug.
    if (message.type() === "error" || message.type() === "warn") complaints.push(`console: ${message.text()}`);
  });
  await page.goto(address);
  await page.exposeFunction("showProgress", showProgress);
  const module = new URL("page.ts", address).href;
  const report = await Promise.race([
    page.evaluate(
      (module, seed, seconds) => {
        const { showProgress } = /** @type {{ showProgress: (counts: Counts) => Promise<void> }} */ (
          /** @type {unknown} */ (globalThis)
        );
        return import(module).then((/** @type {SoakPage} */ { soak }) => soak(seed, seconds, showProgress));
      },
      module,
      seed,
      minutes * 60,
    ),
    crashed,
  ]);
  return judge(report, complaints, seed);
}

/** @param {Counts} counts */
function showProgress({ seconds, actions, losses, liveBytes }) {
  log(`${Math.round(seconds)} s: ${actions} actions, ${losses} devices lost, ${liveBytes} bytes live`);
}

/**
 * @param {Report} report
 * @param {readonly string[]} complaints
 * @param {number} seed
 */
function judge(report, complaints, seed) {
  const { actions, losses, interrupted, seconds, start, end, heap, troubles } = report;
  console.log(
    `${(seconds / 60).toFixed(1)} minutes, seed ${seed}: ${actions} actions, ${losses} devices lost and regained ` +
      `(${interrupted} actions interrupted by that)`,
  );
  console.log(`At the start: ${show(start)}, heap ${megabytes(heap.start)}`);
  console.log(`At the end:   ${show(end)}, heap ${megabytes(heap.end)}`);
  const wrong = [...troubles, ...complaints];
  if (show(start) !== show(end)) wrong.push("the end is not as the start was");
  if (start.liveBytes + start.variables > 0) wrong.push("something is held when nothing is in use");
  for (const sentence of wrong) console.error(`WRONG: ${sentence}`);
  if (wrong.length === 0) console.log("No unhandled rejection, no console error, nothing leaked");
  return wrong.length === 0;
}

/** @param {State} state */
function show({ liveBytes, variables, pipelines }) {
  return `${liveBytes} bytes live, ${variables} Variables, ${pipelines} pipelines`;
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

try {
  const what = plan(process.argv.slice(2));
  if (what.help) process.stdout.write(`${usage}\n`);
  else if (!(await run(what))) process.exitCode = 1;
} catch (error) {
  log(`soak: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
