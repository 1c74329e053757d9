/**
 * `npm run sweep`: every function over all 2^32 inputs against float64, in headless Chrome, or with `--node` in Node. Takes
 * minutes for each; writes sweep/figures.json and the table of RELIABILITY.md after each, or with `--print` only shows the
 * table. The exit status is 0 where all promises hold.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { withModuleInNode } from "../scripts/in-node.js";
import { withServedPage } from "../scripts/served-page.js";
import { plan, usage } from "./plan.js";
import { machines, replaceBetweenMarks, showError, table } from "./report.js";

/** @import { Page } from "puppeteer" */
/** @import { Figure } from "./figures.js" */
/** @typedef {typeof import("./page.js")} SweepPage */
/** @typedef {Record<string, Figure>} Figures */

const here = import.meta.dirname;
const repository = fileURLToPath(new URL("..", import.meta.url));
const figuresFile = join(here, "figures.json");
const documentFile = join(repository, "RELIABILITY.md");

/** @param {string} message */
const log = (message) => process.stderr.write(`${message}\n`);

/** Where the functions run. */
/** @typedef {{ start(): Promise<Started>, sweep(name: string, stride: number, pairs: number): ReturnType<SweepPage["sweep"]>, program: string }} Host */
/** @typedef {Pick<SweepPage, "names" | "functions" | "promises"> & { adapter: string }} Started */

/** @param {ReturnType<typeof plan>} what */
function run(what) {
  return what.node
    ? withModuleInNode(here, ["judge-worker"], (/** @type {SweepPage} */ page) => sweepAll(hostOf(page), what))
    : withServedPage(here, [], async (browser, address) =>
        sweepAll(await open(await browser.newPage(), address, await browser.version()), what),
      );
}

/**
 * @param {Host} host
 * @param {ReturnType<typeof plan>} what
 * @returns {Promise<boolean>} whether all promises hold
 */
async function sweepAll(host, { only, of, stride, pairs, print }) {
  const { names, functions, promises, adapter } = await host.start();
  refuseUnknown(only ?? [], names);
  refuseUnknown(of ?? [], functions);
  const chosen = names.filter(
    (name, k) => (only?.includes(name) ?? true) && (of?.includes(functions[k] ?? "") ?? true),
  );
  log(`Adapter: ${adapter}, ${host.program}`);

  let allHold = true;
  /** @type {Figures} */
  const measured = {};
  for (const name of chosen) {
    const started = performance.now();
    current = name;
    const found = await host.sweep(name, stride, pairs);
    const { tally } = found;
    const seconds = Math.round((performance.now() - started) / 1000);
    log(
      `${name}: ${showError(tally.largest, 4)} ULP at ${tally.at}, ${tally.broken} of ${tally.operands} break the promise (${seconds} s)`,
    );
    for (const { operands, found, exact } of tally.deviations) log(`  of ${operands}: ${found}, exactly ${exact}`);
    allHold &&= tally.broken === 0;
    const figure = { date: new Date().toISOString().slice(0, 10), adapter, browser: host.program, ...found };
    measured[name] = figure;
    if (print) continue;
    await record(names, name, figure);
    await writeTable(names, promises);
  }
  if (print) process.stdout.write(`${tableOf(Object.keys(measured), promises, measured)}\n`);
  else await writeTable(names, promises);
  return allHold;
}

/** @param {readonly string[]} wanted @param {readonly string[]} known */
function refuseUnknown(wanted, known) {
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`there is no ${unknown.join(", ")}; there are ${[...new Set(known)].join(", ")}`);
}

/** The module itself, in Node. @param {SweepPage} page @returns {Host} */
function hostOf({ names, functions, promises, adapter, sweep }) {
  return {
    program: `Node ${process.version}`,
    start: async () => ({ names, functions, promises, adapter: await adapter() }),
    sweep: (name, stride, pairs) => sweep(name, stride, pairs, showProgress),
  };
}

let current = "";
let shown = "";

/** Says how far it is: on one line of a terminal, in steps of 10 % elsewhere. @param {number} share */
function showProgress(share) {
  const percent = Math.floor(100 * share);
  const isTerminal = process.stderr.isTTY;
  const text = `${current} ${isTerminal ? percent : percent - (percent % 10)} %`;
  if (text === shown) return;
  shown = text;
  process.stderr.write(isTerminal ? `\r\x1b[2K${text}${percent === 100 ? "\r\x1b[2K" : ""}` : `${text}\n`);
}

/** @returns {Promise<Figures>} */
async function readFigures() {
  /** @type {unknown} */
  const figures = JSON.parse(await readFile(figuresFile, "utf8"));
  return /** @type {Figures} */ (figures);
}

/**
 * Writes the figure beside what is known of the other rows.
 *
 * @param {readonly string[]} names
 * @param {string} name
 * @param {Figure} figure
 */
async function record(names, name, figure) {
  const figures = { ...(await readFigures()), [name]: figure };
  const inOrder = names.filter((each) => each in figures).map((each) => [each, figures[each]]);
  await writeFile(figuresFile, `${JSON.stringify(Object.fromEntries(inOrder), null, 2)}\n`);
}

/**
 * Writes the table of RELIABILITY.md.
 *
 * @param {readonly string[]} names
 * @param {Readonly<Record<string, string>>} promises
 */
async function writeTable(names, promises) {
  const figures = await readFigures();
  const document = replaceBetweenMarks(await readFile(documentFile, "utf8"), tableOf(names, promises, figures));
  const options = await resolveConfig(documentFile);
  await writeFile(documentFile, await format(document, { ...options, parser: "markdown" }));
}

/**
 * @param {readonly string[]} names
 * @param {Readonly<Record<string, string>>} promises
 * @param {Figures} figures
 */
function tableOf(names, promises, figures) {
  return `${table(names, promises, figures)}\n\n${machines(Object.values(figures))}`;
}

/**
 * The module in a page.
 *
 * @param {Page} page
 * @param {string} address
 * @param {string} program the browser
 * @returns {Promise<Host>}
 */
async function open(page, address, program) {
  page.on("error", (error) => {
    log(`the page crashed: ${error.message}`);
    process.exit(1);
  });
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warn") log(`  ${message.text()}`);
  });
  await page.goto(address);
  await page.exposeFunction("showProgress", showProgress);
  const module = new URL("page.ts", address).href;
  return {
    program,
    start: () =>
      page.evaluate(
        (module) =>
          import(module).then(async (/** @type {SweepPage} */ { names, functions, promises, adapter }) => ({
            names,
            functions,
            promises,
            adapter: await adapter(),
          })),
        module,
      ),
    sweep: (name, stride, pairs) =>
      page.evaluate(
        (module, name, stride, pairs) => {
          const { showProgress } = /** @type {{ showProgress: (share: number) => Promise<void> }} */ (
            /** @type {unknown} */ (globalThis)
          );
          return import(module).then((/** @type {SweepPage} */ { sweep }) =>
            sweep(name, stride, pairs, (share) => void showProgress(share)),
          );
        },
        module,
        name,
        stride,
        pairs,
      ),
  };
}

try {
  const what = plan(process.argv.slice(2));
  if (what.help) process.stdout.write(`${usage}\n`);
  else if (!(await run(what))) process.exitCode = 1;
} catch (error) {
  log(`sweep: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
