/** Compares what a line of an example gives with the comment behind it. */
import { expect } from "vitest";
import { Variable } from "../src/index.js";

/** @param run gives the values of the line, unevaluated: Variables are read, promises awaited */
export async function check(run: () => Promise<unknown[]>, comment: string): Promise<void> {
  const values = await Promise.all((await run()).map(plain));
  const expected = parse(comment);
  if (expected === undefined) return;
  const got = values.length === 1 ? values[0] : values;
  compare(got, expected, comment);
}

async function plain(value: unknown): Promise<unknown> {
  const settled = await value;
  if (settled instanceof Variable) {
    const numbers = [...(await settled.read())];
    return nest(numbers, settled.shape);
  }
  return settled instanceof Float32Array ? [...settled] : settled;
}

function nest(numbers: number[], shape: readonly number[]): unknown {
  if (shape.length === 0) return numbers[0];
  const [length = 0, ...rest] = shape;
  const step = numbers.length / (length || 1);
  return Array.from({ length }, (_, k) => nest(numbers.slice(k * step, (k + 1) * step), rest));
}

/** The value at the beginning of a comment: `12`, `[1, 2]`, `Float32Array [1, 2]`, `12: because`; else undefined. */
function parse(comment: string): unknown {
  const text = /^(?:Float32Array )?(-?\d[\d.e-]*|\[[\d\s.,[\]e-]*\]|true|false|".*?")/.exec(comment)?.[1];
  return text === undefined ? undefined : (JSON.parse(text) as unknown);
}

function compare(got: unknown, expected: unknown, comment: string): void {
  if (Array.isArray(expected)) {
    expect(Array.isArray(got), comment).toBe(true);
    const list = got as unknown[];
    expect(list.length, comment).toBe(expected.length);
    expected.forEach((element, k) => {
      compare(list[k], element, comment);
    });
  } else if (typeof expected === "number") {
    expect(Math.abs(Number(got) - expected), `${comment}: got ${String(got)}`).toBeLessThanOrEqual(
      1e-6 * Math.max(1, Math.abs(expected)),
    );
  } else expect(got, comment).toBe(expected);
}
