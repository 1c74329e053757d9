/**
 * `npm start`: runs the seed's example in headless Chrome, then the same on many elements, prints what came out, and
 * serves the demo until Ctrl-C. Options: --once ends instead of serving; --size N takes N elements instead of 2^24.
 * The exit status is 0 only where the numbers are right.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import puppeteer from "puppeteer";
import { createServer } from "vite";
import { chromeFlags, findBrowser } from "./browser.js";
import { findWrong, show } from "./start-report.js";

const { once, size } = readOptions();
const isTerminal = process.stderr.isTTY;

let lastMessage = "";

/** @type {(() => Promise<void>)[]} what to close at the end, the last opened first */
const opened = [];

/** @type {Promise<"interrupted">} */
const interrupted = new Promise((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      resolve("interrupted");
    });
  }
});

try {
  const server = await serve();
  const outcome = await Promise.race([run(server.address), interrupted]);
  if (outcome === "interrupted") process.exitCode = 130;
  else {
    process.exitCode = outcome ? 0 : 1;
    if (!once) {
      console.log(`The demo is at ${server.address} (Ctrl-C ends)`);
      await interrupted;
    }
  }
} catch (error) {
  progress("");
  console.error(error);
  process.exitCode = 1;
} finally {
  await close();
}

function readOptions() {
  try {
    const { values } = parseArgs({ options: { once: { type: "boolean" }, size: { type: "string" } } });
    const size = Number(values.size ?? 2 ** 24);
    if (!Number.isSafeInteger(size) || size < 1)
      throw new Error(`--size must be a number of elements, not ${values.size}`);
    return { once: values.once ?? false, size };
  } catch (error) {
    console.error(messageOf(error));
    console.error("usage: npm start -- [--once] [--size N]");
    process.exit(1);
  }
}

/** Vite serves the demo's sources, and an empty page to run the example in. */
async function serve() {
  const server = await createServer({
    configFile: fileURLToPath(new URL("../demo/vite.config.ts", import.meta.url)),
    logLevel: "warn",
    plugins: [
      {
        name: "empty-page",
        configureServer({ middlewares }) {
          middlewares.use("/empty", (_, response) => {
            response.setHeader("Content-Type", "text/html").end("<!doctype html><title>gpugrad</title>");
          });
        },
      },
    ],
  });
  opened.push(() => server.close());
  await server.listen();
  const [address] = server.resolvedUrls?.local ?? [];
  if (address === undefined) throw new Error("the server has no address");
  return { address };
}

/**
 * Runs both examples in headless Chrome and prints them.
 *
 * @param {string} address
 * @returns {Promise<boolean>} whether the numbers are right
 */
async function run(address) {
  const executablePath = findBrowser();
  progress("Starting Chrome");
  const launching = puppeteer.launch({
    executablePath,
    args: chromeFlags,
    // Signals end the browser below, with everything else.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    // On a slow machine the large run may take more than puppeteer's three minutes.
    protocolTimeout: 1_200_000,
  });
  // Also where it is interrupted before Chrome is up.
  opened.push(async () => (await launching).close());
  const browser = await launching;
  const page = await browser.newPage();
  await page.goto(new URL("empty", address).href);
  await page.exposeFunction("showProgress", progress);
  const module = new URL("headless.ts", address).href;

  /** @type {import("../demo/headless.js").Adapter | string} */
  const adapter = await page.evaluate(
    (module) =>
      import(module)
        .then((/** @type {typeof import("../demo/headless.js")} */ { findAdapter }) => findAdapter())
        .catch((/** @type {unknown} */ error) => String(error)),
    module,
  );
  progress("");
  if (typeof adapter === "string") {
    console.error(`${await browser.version()} at ${executablePath} can't run gpugrad.\n${adapter}`);
    return false;
  }
  console.log(
    `Adapter: ${adapter.name}${adapter.isSoftware ? " (software: right numbers, but not a GPU's times)" : ""}\n`,
  );

  const report = await page.evaluate(
    (module, size) => {
      const { showProgress } = /** @type {{ showProgress: (message: string, share?: number) => Promise<void> }} */ (
        /** @type {unknown} */ (globalThis)
      );
      return import(module).then((/** @type {typeof import("../demo/headless.js")} */ { runAll }) =>
        runAll(size, (message, share) => void showProgress(message, share)),
      );
    },
    module,
    size,
  );
  await browser.close();
  progress("");
  console.log(show(report));
  const wrong = findWrong(report);
  for (const sentence of wrong) console.error(`WRONG: ${sentence}`);
  return wrong.length === 0;
}

/**
 * Says on stderr what is being done, on one line of a terminal; "" clears it.
 *
 * @param {string} message
 * @param {number} [share] from 0 to 1
 */
function progress(message, share) {
  if (isTerminal) {
    const percent = share === undefined ? "" : ` ${Math.floor(100 * share)} %`;
    process.stderr.write(`\r\x1b[2K${message === "" ? "" : `${message}${percent} …`}`);
  } else if (message !== lastMessage && message !== "") process.stderr.write(`${message} …\n`);
  lastMessage = message;
}

async function close() {
  for (let next = opened.pop(); next !== undefined; next = opened.pop()) {
    await next().catch((/** @type {unknown} */ error) => {
      console.error(`closing: ${messageOf(error)}`);
    });
  }
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
