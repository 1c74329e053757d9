/** The page of accuracy: what RELIABILITY.md promises, measured on the visitor's own GPU, and a report to copy. */
import { init, isGpugradError, type Device } from "../src/index.js";
import { measured, type Figure } from "../sweep/figures.js";
import type { Tally } from "../sweep/judge.js";
import { Judges } from "../sweep/judges.js";
import { measure } from "../sweep/measure.js";
import { fixedSample } from "../sweep/operands.js";
import { promised, rows, type Row } from "../sweep/table.js";
import { adapterName } from "./adapter.js";
import { byId, html } from "./dom.js";

const results = byId("results", HTMLElement);
const progress = byId("progress", HTMLProgressElement);
const copy = byId("copy", HTMLButtonElement);
const report = byId("report", HTMLPreElement);

void start();

async function start(): Promise<void> {
  showSources();
  const cells = new Map(rows.map((row) => [row.name, addRow(row)]));
  let device: Device;
  try {
    device = await init();
  } catch (error) {
    setText("adapter", "No GPU to run on.");
    showProblem("This page needs WebGPU", error);
    return;
  }
  setText("adapter", `Measured on ${adapterName(device)}${device.isSoftware ? " (software)" : ""}.`);
  copy.addEventListener("click", () => void copyReport());

  const judges = new Judges(2);
  setBusy(true);
  const tallies: (readonly [Row, Tally])[] = [];
  try {
    for (const [index, row] of rows.entries()) {
      setText("status", `Measuring ${row.name} …`);
      progress.value = index / rows.length;
      const tally = await measure(row, fixedSample, judges);
      tallies.push([row, tally]);
      cells.get(row.name)?.(tally);
    }
    setText("status", "Done.");
    showVerdict(tallies);
    report.textContent = reportOf(device, tallies);
    copy.disabled = false;
  } catch (error) {
    setText("status", "");
    showProblem("Measuring didn’t work", error);
  } finally {
    judges.end();
    setBusy(false);
  }
}

/** A row of the table without figures yet; the function it gives fills them in. */
function addRow(row: Row): (tally: Tally) => void {
  const name = document.createElement("th");
  name.scope = "row";
  name.textContent = row.name;
  const [here, at, small] = [cell("–"), cell("–"), cell("–")];
  const figure = measured[row.name];
  const ours = cell(figure === undefined ? "–" : showError(figure.tally));
  const line = html("tr", "", [name, html("td", "promise", [promised(row)]), here, ours, at, small]);
  byId("rows", HTMLTableSectionElement).append(line);
  return (tally) => {
    here.textContent = showError(tally);
    at.textContent = tally.largest === 0 ? "" : tally.at;
    small.textContent = showSmall(tally);
    line.classList.toggle("bad", tally.broken > 0);
  };
}

function cell(text: string): HTMLTableCellElement {
  return html("td", "", [text]);
}

function showError({ largest, broken }: Tally): string {
  const wrong = broken === 0 ? "" : `, ${broken} wrong`;
  return (largest === 0 ? "exact" : `${largest.toFixed(3)} ULP`) + wrong;
}

function showSmall({ subnormal, flushed }: Tally): string {
  if (subnormal === 0) return "";
  return flushed > 0 ? "taken for 0" : "kept";
}

function showVerdict(tallies: readonly (readonly [Row, Tally])[]): void {
  const broken = tallies.filter(([, tally]) => tally.broken > 0);
  const verdict = byId("verdict", HTMLParagraphElement);
  verdict.classList.toggle("bad", broken.length > 0);
  verdict.textContent =
    broken.length === 0
      ? "Everything is as promised on this GPU and browser."
      : `Not as promised on this GPU and browser: ${broken.map(([{ name }]) => name).join(", ")}. Please report it.`;
}

/** Everything as text: the machine, the figures, and the first few results that break a promise. */
function reportOf({ adapterInfo, isSoftware }: Device, tallies: readonly (readonly [Row, Tally])[]): string {
  const { vendor, architecture, device, description } = adapterInfo;
  const lines = [
    "gpugrad accuracy report",
    `date: ${new Date().toISOString()}`,
    `adapter: vendor "${vendor}", architecture "${architecture}", device "${device}", description "${description}"`,
    `software: ${isSoftware ? "yes" : "no"}`,
    `browser: ${navigator.userAgent}`,
    `sample: every ${fixedSample.stride}th bit pattern, dense regions, special values; ${fixedSample.pairs} pairs`,
    "",
    ["function".padEnd(20), "promised".padEnd(12), "here".padEnd(22), "by us".padEnd(22), "at"].join(" "),
  ];
  for (const [row, tally] of tallies) {
    const figure = measured[row.name];
    const parts = [
      row.name.padEnd(20),
      promised(row).padEnd(12),
      showError(tally).padEnd(22),
      (figure === undefined ? "–" : showError(figure.tally)).padEnd(22),
      tally.largest === 0 ? "" : tally.at,
      tally.flushed > 0 ? `${tally.flushed} of ${tally.subnormal} small results taken for 0` : "",
      tally.falls > 0 ? `${tally.falls} neighbours out of order` : "",
    ];
    lines.push(parts.join(" ").trimEnd());
    for (const { operands, found, exact } of tally.deviations) {
      lines.push(`    of ${operands}: ${found}, exactly ${exact}`);
    }
  }
  return lines.join("\n");
}

async function copyReport(): Promise<void> {
  try {
    await navigator.clipboard.writeText(report.textContent);
    setText("copied", "Copied.");
  } catch {
    // Not allowed, or no secure context: the text is selected instead, ready for the keyboard.
    getSelection()?.selectAllChildren(report);
    report.focus();
    setText("copied", "Selected: press Ctrl+C or ⌘C.");
  }
}

/** Says where our figures come from. */
function showSources(): void {
  const figures = Object.values(measured).filter((figure): figure is Figure => figure !== undefined);
  const machines = [...new Set(figures.map(({ adapter, browser }) => `${adapter} in ${browser}`))];
  if (machines.length > 0) setText("sources", `larger sweeps on ${machines.join(" and ")}`);
}

function setBusy(busy: boolean): void {
  results.setAttribute("aria-busy", String(busy));
  progress.hidden = !busy;
}

function showProblem(title: string, error: unknown): void {
  setText("problem-title", title);
  setText("problem-message", error instanceof Error ? error.message : String(error));
  byId("problem", HTMLDivElement).hidden = false;
  // What is not gpugrad's own error is a mistake of this page's.
  if (!isGpugradError(error)) console.error(error);
}

function setText(id: string, text: string): void {
  byId(id, HTMLElement).textContent = text;
}
