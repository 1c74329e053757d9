/** A derived gradient beside two that were found in other ways: by the tape, and by differences. All in float64. */
import { programOf } from "../interpreter/program.js";
import { differences, type Difference } from "./differences.js";

export interface Comparison {
  /** From the derived text. */
  readonly derived: readonly number[];
  /** By reverse accumulation of the source. */
  readonly reverse: readonly number[];
  readonly differences: readonly (Difference | "kink")[];
  /** How many of the differences say nothing, since a kink is near. */
  readonly kinks: number;
  /** What doesn't agree, in words, with all that is needed to see it again; null where all agree. */
  readonly mistake: string | null;
}

/** Of two gradients that are found by formulas: they differ by rounding only. */
const exactTolerance = 1e-9;
/** Of one by formulas and one by differences. */
const differenceTolerance = 1e-6;

function isNear(a: number, b: number, tolerance: number): boolean {
  // Beside an infinity everything would be near.
  const most = tolerance * Math.max(1, Math.abs(a), Math.abs(b));
  return Object.is(a, b) || (Number.isFinite(most) && Math.abs(a - b) <= most);
}

/** The source's gradient at `xs` by reverse accumulation against its differences: how many kinks, and what is wrong. */
export function compareReverse(source: string, name: string, xs: readonly number[]): Comparison {
  return compared({ source, name, xs, derived: null, text: "" });
}

/**
 * Interprets `NAME_backward` of the derived text with gy = 1, and compares it with reverse accumulation of the source and
 * with its differences. The backward takes what element-wise WGSL allows, by name: the inputs, y, gy.
 * @param derived the derived functions alone, or the source with them
 */
export function compareGradient(source: string, derived: string, name: string, xs: readonly number[]): Comparison {
  const whole = derived.includes(`fn ${name}_forward`) ? derived : `${source}\n${derived}`;
  const program = programOf(whole);
  const [y = NaN] = program.value(`${name}_forward`, xs);
  const inputs = program.function(`${name}_forward`).parameters.map((parameter) => parameter.name);
  const given = new Map([...inputs.map((input, k): [string, number] => [input, xs[k] ?? NaN]), ["y", y], ["gy", 1]]);
  const args = program.function(`${name}_backward`).parameters.map((parameter) => given.get(parameter.name) ?? NaN);
  return compared({ source, name, xs, derived: program.value(`${name}_backward`, args), text: derived });
}

interface Case {
  readonly source: string;
  readonly name: string;
  readonly xs: readonly number[];
  readonly derived: readonly number[] | null;
  /** The derived text, for the message. */
  readonly text: string;
}

function compared({ source, name, xs, derived, text }: Case): Comparison {
  const forward = `${name}_forward`;
  const program = programOf(source);
  const { gradient: reverse } = program.gradient(forward, xs);
  const slopes = differences((at) => program.value(forward, at)[0] ?? NaN, xs);
  const mistakes: string[] = [];
  if (derived !== null && derived.length !== reverse.length) mistakes.push(`${derived.length} derivatives`);
  reverse.forEach((value, k) => {
    const own = derived?.[k] ?? value;
    if (!isNear(own, value, exactTolerance)) mistakes.push(`by input ${k}: derived ${own}, reverse mode ${value}`);
    const slope = slopes[k] ?? "kink";
    if (slope === "kink") return;
    const most = Math.max(differenceTolerance, (10 * slope.error) / Math.max(1, Math.abs(slope.value)));
    for (const [way, found] of [["derived", own] as const, ["reverse mode", value] as const]) {
      if (!isNear(found, slope.value, most))
        mistakes.push(`by input ${k}: ${way} ${found}, differences ${slope.value}`);
    }
  });
  return {
    derived: derived ?? reverse,
    reverse,
    differences: slopes,
    kinks: slopes.filter((slope) => slope === "kink").length,
    mistake: mistakes.length === 0 ? null : [`at [${xs.join(", ")}] ${mistakes.join("; ")}`, source, text].join("\n"),
  };
}
