/** The soak, in a page: actions at random, alone and side by side, on devices that are lost and regained. */
import { init, isGpugradError, leaks, stats } from "../src/index.js";
import { actions, randomFrom, type Random } from "./actions.js";

export interface Counts {
  readonly actions: number;
  readonly losses: number;
  /** Actions that a loss ended. */
  readonly interrupted: number;
  readonly seconds: number;
  readonly liveBytes: number;
}

/** What must be the same at the end as at the start. */
export interface State {
  readonly liveBytes: number;
  readonly variables: number;
  readonly pipelines: number;
}

export interface Report extends Counts {
  readonly start: State;
  readonly end: State;
  /** Of the page, in bytes, where the browser tells. */
  readonly heap: { readonly start: number; readonly end: number };
  readonly troubles: readonly string[];
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A device of the soak's own, which it may destroy. */
async function freshDevice(troubles: string[]): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter();
  if (adapter === null) throw new Error("the browser offers no adapter");
  const device = await adapter.requestDevice({
    requiredFeatures: adapter.features.has("timestamp-query") ? ["timestamp-query"] : [],
  });
  device.addEventListener("uncapturederror", (event) => troubles.push(`uncaptured: ${event.error.message}`));
  await init({ device });
  return device;
}

/** Every action once with few numbers and once with many, which compiles whatever any of them needs. */
async function allActions(): Promise<void> {
  const random = randomFrom(1);
  for (const action of Object.values(actions)) {
    for (const size of [7, 40_000]) await action(size, random);
  }
}

/** The counts, when the collector has found what was forgotten. */
async function settledState(): Promise<State> {
  const { gc } = globalThis as unknown as { gc: () => void };
  let before = Infinity;
  for (let same = 0; same < 5; same++) {
    const { liveBytes } = stats();
    if (liveBytes < before) same = 0;
    before = liveBytes;
    await pause(20);
    gc();
    await pause(20);
  }
  const { liveBytes, pipelines } = stats();
  return { liveBytes, variables: leaks().length, pipelines };
}

function heapSize(): number {
  return (performance as unknown as { memory?: { usedJSHeapSize: number } }).memory?.usedJSHeapSize ?? 0;
}

/** 2 to 100,000, small ones as often as large ones. */
function randomSize(random: Random): number {
  return Math.floor(2 * 50_000 ** random());
}

/** Runs for so many seconds. What went wrong is in `troubles`; `progress` is told how far it is. */
export async function soak(seed: number, seconds: number, progress: (counts: Counts) => unknown): Promise<Report> {
  const troubles: string[] = [];
  addEventListener("unhandledrejection", ({ reason }) => troubles.push(`unhandled rejection: ${String(reason)}`));
  addEventListener("error", ({ message }) => troubles.push(`uncaught error: ${message}`));
  const random = randomFrom(seed);
  const names = Object.keys(actions);
  let device = await freshDevice(troubles);
  await allActions();
  const start = await settledState();
  const heap = heapSize();
  const began = performance.now();
  let done = 0;
  let losses = 0;
  let interrupted = 0;
  const elapsed = (): number => (performance.now() - began) / 1000;
  const counts = (): Counts => ({
    actions: done,
    losses,
    interrupted,
    seconds: elapsed(),
    liveBytes: stats().liveBytes,
  });

  const runOne = async (isLosing: boolean): Promise<void> => {
    const name = names[Math.floor(random() * names.length)] ?? "";
    const size = randomSize(random);
    try {
      await actions[name]?.(size, random);
      done++;
    } catch (error) {
      if (isLosing && isGpugradError(error) && error.code === "device-lost") interrupted++;
      else troubles.push(`${name} of ${size}: ${String(error)}`);
    }
  };

  let told = 0;
  while (elapsed() < seconds && troubles.length < 20) {
    // The last device stays for a while, so that what it has at the end is what long use leaves.
    const isLosing = random() < 0.03 && elapsed() < 0.8 * seconds;
    const together = random() < 0.5 ? 1 : 1 + Math.floor(random() * 4);
    const running = Array.from({ length: together }, () => runOne(isLosing));
    if (isLosing) {
      // At any moment: before, during or after the actions.
      const delay = random() < 0.3 ? 0 : random() * 100;
      if (delay > 0) await pause(delay);
      device.destroy();
      await Promise.all(running);
      await device.lost;
      losses++;
      device = await freshDevice(troubles);
    } else await Promise.all(running);
    if (elapsed() - told > 10) {
      told = elapsed();
      progress(counts());
    }
  }

  const last = counts();
  const left = await settledState();
  const heapAtEnd = heapSize();
  // Compiles what the last device had not used, so that its pipelines can be compared.
  await allActions();
  const end = { ...left, pipelines: stats().pipelines };
  const report = { ...last, start, end, heap: { start: heap, end: heapAtEnd }, troubles };
  device.destroy();
  return report;
}
