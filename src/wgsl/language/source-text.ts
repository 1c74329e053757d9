/** A user's WGSL, and how its mistakes are told: with line, column and the line itself. */
import { WgslError } from "../../base/errors.js";

/** As much of a line is shown. */
const longestLine = 120;

export class SourceText {
  readonly text: string;
  /** What the source is called in messages: the function's name, as far as it is known. */
  readonly name: string;

  constructor(text: string, name: string) {
    this.text = text;
    this.name = name;
  }

  /** Lines and columns count from 1. */
  placeOf(at: number): { line: number; column: number } {
    const before = this.text.slice(0, at);
    return { line: before.split("\n").length, column: at - before.lastIndexOf("\n") };
  }

  /** @throws WgslError that shows where in the source something is wrong. */
  fail(at: number, message: string): never {
    const { line, column } = this.placeOf(at);
    throw new WgslError(
      `${this.name}, line ${line}, column ${column}: ${message}\n  ${excerpt(this.text.split("\n")[line - 1] ?? "", column)}`,
      line,
    );
  }
}

/** The line, or what stands around that column of a long one. */
function excerpt(line: string, column: number): string {
  const whole = line.trim();
  if (whole.length <= longestLine) return whole;
  const at = column - 1 - (line.length - line.trimStart().length);
  const first = Math.max(0, Math.min(at - longestLine / 2, whole.length - longestLine));
  const last = first + longestLine;
  return `${first > 0 ? "…" : ""}${whole.slice(first, last)}${last < whole.length ? "…" : ""}`;
}
