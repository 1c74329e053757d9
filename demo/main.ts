/** The first page: the seed's example on the visitor's own GPU. */
import { init, isGpugradError, type Device } from "../src/index.js";
import { adapterName } from "./adapter.js";
import { showSource, sources } from "./code-view.js";
import { compare } from "./compare.js";
import { byId } from "./dom.js";
import { arraysOnGpu, Example, mostElements, range, type Times } from "./example.js";
import { showBytes, showCount, showFloat32, showSmall, showTime, superscript } from "./format.js";
import { GraphView } from "./graph-view.js";
import { Plot } from "./plot.js";
import type { Comparison, Errors } from "./reference.js";

const code = byId("code", HTMLDivElement);
const graphView = new GraphView(
  byId("graph", HTMLDivElement),
  sources.map(({ name }) => name),
  (index) => {
    const source = sources[index];
    if (source !== undefined) showSource(code, source);
  },
);
const plotY = new Plot(byId("plot-y", HTMLDivElement), "data", "y", range, lookAt);
const plotGradient = new Plot(byId("plot-gradient", HTMLDivElement), "grad", "dy/dx", range, lookAt);
const probe = byId("probe", HTMLInputElement);
const size = byId("size", HTMLInputElement);
const results = byId("results", HTMLDivElement);
const progress = byId("progress", HTMLProgressElement);

/** The most points of a curve; more than a plot has pixels would be lost. */
const mostPoints = 512;

let example: Example | null = null;
let abort = new AbortController();
let lastRun: Promise<void> = Promise.resolve();
let looking: Promise<void> | null = null;
/** The x that was looked at last. */
let lookedAt = NaN;

void start();

async function start(): Promise<void> {
  try {
    const device = await init();
    showAdapter(device);
    size.max = String(Math.log2(mostElements(device)));
  } catch (error) {
    byId("adapter", HTMLParagraphElement).textContent = "No GPU to run on.";
    showProblem("This page needs WebGPU", error, [
      "Chrome or Edge 113 and later have it on Windows, macOS and ChromeOS; Safari has it from version 26; Firefox from 141 on Windows and from 145 on macOS with Apple silicon.",
      "On Linux, or where the GPU is on the browser’s blocklist, start Chrome with --enable-unsafe-webgpu; without any GPU the shaders then run on the processor.",
      "The page must come over https or from localhost.",
      "Without it you can still read the functions’ WGSL below.",
    ]);
    results.hidden = true;
    return;
  }
  size.disabled = false;
  probe.disabled = false;
  probe.addEventListener("input", () => {
    lookAt(probe.valueAsNumber);
  });
  size.addEventListener("input", showSize);
  size.addEventListener("change", run);
  showSize();
  run();
}

function showAdapter(device: Device): void {
  byId("adapter", HTMLParagraphElement).textContent =
    `Running on ${adapterName(device)}${device.isSoftware ? " (software)" : ""}; arrays of up to ${showBytes(device.maxArrayBytes)}.`;
  byId("software", HTMLParagraphElement).hidden = !device.isSoftware;
}

function elements(): number {
  return 2 ** size.valueAsNumber;
}

function showSize(): void {
  const text = `2${superscript(size.value)} = ${showCount(elements())}, ${showBytes(elements() * 4 * arraysOnGpu)} on the GPU`;
  byId("size-value", HTMLOutputElement).textContent = text;
  size.setAttribute("aria-valuetext", text);
}

/** Measures the chosen size. A run that is under way is given up. */
function run(): void {
  abort.abort(new DOMException("another size was chosen", "AbortError"));
  abort = new AbortController();
  const { signal } = abort;
  lastRun = lastRun.then(() => measure(elements(), signal));
}

async function measure(count: number, signal: AbortSignal): Promise<void> {
  const givenUp = (): boolean => signal.aborted;
  if (givenUp()) return;
  byId("problem", HTMLDivElement).hidden = true;
  setBusy(true);
  try {
    await looking;
    example?.release();
    example = null;
    example = await Example.run(count, tell, signal);
    tell("Reading the curves");
    await showCurves(example);
    await look();
    showTimes(example.times, null);
    const comparison = await compare(example, tell, signal);
    showTimes(example.times, comparison);
    showErrors(comparison);
    setText("status", "Done.");
  } catch (error) {
    if (givenUp()) return;
    showNothing();
    const advice =
      example === null ? ["Choose a smaller size.", "If that fails too, reload the page."] : ["Reload the page."];
    showProblem(`${showCount(count)} elements didn’t work`, error, advice);
  } finally {
    // The next run, if there is one, keeps the page busy.
    if (!givenUp()) setBusy(false);
  }
}

async function showCurves(shown: Example): Promise<void> {
  const points = Math.min(mostPoints, shown.size);
  const { x, y, gradient } = await shown.elements(0, shown.size / points, points);
  plotY.show({ x, y });
  plotGradient.show({ x, y: gradient });
}

/** Moves the mark to x. The numbers are read from the GPU; while a read is under way, only the last move counts. */
function lookAt(x: number): void {
  probe.value = String(x);
  looking ??= look().finally(() => {
    looking = null;
    if (probe.valueAsNumber !== lookedAt && example !== null) lookAt(probe.valueAsNumber);
  });
}

async function look(): Promise<void> {
  const shown = example;
  if (shown === null) return;
  lookedAt = probe.valueAsNumber;
  const index = Math.round(((lookedAt - range.first) / (range.end - range.first)) * shown.size);
  try {
    const values = await shown.at(Math.min(shown.size - 1, Math.max(0, index)));
    byId("probe-value", HTMLOutputElement).textContent = showFloat32(values.x.data);
    graphView.show(values);
    plotY.mark(values.x.data, values.y.data);
    plotGradient.mark(values.x.data, values.x.grad);
  } catch (error) {
    // Where a new run has begun, these arrays are gone.
    if (shown === example) showProblem("The numbers could not be read", error, ["Reload the page."]);
  }
}

function showTimes({ forward, backward, runs }: Times, comparison: Comparison | null): void {
  const row = (name: string, gpugrad: number, loop: number | undefined): void => {
    setText(`${name}-gpugrad`, showTime(gpugrad));
    setText(`${name}-loop`, loop === undefined ? "…" : showTime(loop));
    setText(`${name}-ratio`, loop === undefined ? "…" : showRatio(loop / gpugrad));
  };
  row("forward", forward, comparison?.forward);
  row("backward", backward, comparison?.backward);
  setText("runs", runs === 1 ? "one" : String(runs));
}

function showRatio(ratio: number): string {
  const factor = ratio >= 1 ? ratio : 1 / ratio;
  return `${Number(factor.toPrecision(2))}× ${ratio >= 1 ? "faster" : "slower"}`;
}

function showErrors({ elements: compared, y, gradient }: Comparison): void {
  const row = (name: string, { largest, at, shareOfBound }: Errors): void => {
    setText(`${name}-error`, showSmall(largest));
    setText(`${name}-at`, showFloat32(at));
    setText(`${name}-share`, `${Math.round(100 * shareOfBound)} %`);
  };
  row("y", y);
  row("gradient", gradient);
  const sound = y.shareOfBound <= 1 && gradient.shareOfBound <= 1;
  const verdict = byId("verdict", HTMLParagraphElement);
  verdict.classList.toggle("bad", !sound);
  verdict.textContent = sound
    ? `All ${showCount(compared)} values and all ${showCount(compared)} gradients are within the bound.`
    : "Some results are further off than float32 can explain: on this GPU and browser something is wrong.";
}

/** Takes away what an earlier run showed. */
function showNothing(): void {
  setText("status", "");
  setText("verdict", "");
  results.querySelectorAll("td").forEach((cell) => {
    cell.textContent = "–";
  });
  if (example !== null) return;
  graphView.show(null);
  for (const plot of [plotY, plotGradient]) {
    plot.show({ x: [], y: [] });
    plot.mark(NaN, NaN);
  }
}

function setBusy(busy: boolean): void {
  results.setAttribute("aria-busy", String(busy));
  progress.hidden = !busy;
}

/** Says what is being done. */
function tell(message: string, share?: number): void {
  setText("status", `${message} …`);
  if (share === undefined) progress.removeAttribute("value");
  else progress.value = share;
}

function showProblem(title: string, error: unknown, advice: readonly string[]): void {
  setText("problem-title", title);
  const message = (error instanceof Error ? error.message : String(error)).trim();
  setText(
    "problem-message",
    `${message.charAt(0).toUpperCase()}${message.slice(1)}${/[.!]$/.test(message) ? "" : "."}`,
  );
  byId("problem-advice", HTMLUListElement).replaceChildren(
    ...advice.map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }),
  );
  byId("problem", HTMLDivElement).hidden = false;
  // What is not gpugrad's own error is a mistake of this page's.
  if (!isGpugradError(error)) console.error(error);
}

function setText(id: string, text: string): void {
  byId(id, HTMLElement).textContent = text;
}
