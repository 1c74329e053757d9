/** Components of vectors by their letters. */
import type { Type } from "./types.js";
import type { SourceText } from "../language/source-text.js";
import type { Expression } from "../language/syntax.js";

/** Which components a swizzle names: xyzw or rgba. */
export function componentsOf(swizzle: string): number[] {
  return Array.from(swizzle, (letter) => "xyzwrgba".indexOf(letter) % 4);
}

/** A part of a vector that is written: the place of the whole one, and the letters of its components. */
export interface WrittenComponents {
  readonly object: Expression;
  readonly letters: string;
}

/**
 * What an assignment to a swizzle writes, through those of swizzles, too: `v.zyx.xy` is `v.zy`. null for another target.
 *
 * @throws WgslError where one component would be written twice.
 */
export function writtenComponents(
  source: SourceText,
  target: Expression,
  types: ReadonlyMap<Expression, Type>,
): WrittenComponents | null {
  if (target.kind === "index" && writtenComponents(source, target.object, types) !== null) {
    source.fail(target.at, "this counts in a swizzle: write the component that is meant");
  }
  if (target.kind !== "member") return null;
  const { object, name, at } = target;
  const inner = writtenComponents(source, object, types);
  const whole = types.get(object);
  const letters =
    inner === null
      ? name
      : componentsOf(name)
          .map((k) => inner.letters.charAt(k))
          .join("");
  const isSwizzle = name.length > 1 && (whole?.kind === "pointer" ? whole.target : whole)?.kind === "vector";
  if (inner === null && !isSwizzle) return null;
  const twice = letters.split("").find((letter, k) => letters.indexOf(letter) < k);
  if (twice !== undefined) source.fail(at, `.${name} has ${twice} twice: each component can be written once`);
  return { object: inner?.object ?? object, letters };
}
