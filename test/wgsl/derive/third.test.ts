/** Third derivatives: what is derived from a derivative of a derivative, beside reverse mode and differences of that. */
import { describe, expect, test } from "vitest";
import { Derivation } from "../../../src/wgsl/derive/derive.js";
import { parse } from "../../../src/wgsl/language/parser.js";
import { printModule } from "../../../src/wgsl/language/printer.js";
import { SourceText } from "../../../src/wgsl/language/source-text.js";
import { wgslFunctions } from "../../reference/wgsl-functions.js";
import { compareGradient } from "./fuzz/compare.js";
import { Random } from "./fuzz/random.js";

/** The source without what was derived by hand. */
function forwardOf(wgsl: string, name: string): string {
  return printModule(
    parse(new SourceText(wgsl, name)).filter(
      (declaration) => !("name" in declaration && /_(?:backward|slope)$/.test(declaration.name)),
    ),
  );
}

/** Inputs by which is differentiated first and second: the first twice, and the last with the first. */
const pathsOf = (inputs: number): [number, number][] =>
  inputs === 1
    ? [[0, 0]]
    : [
        [0, 0],
        [inputs - 1, 0],
      ];

describe.each(Object.entries(wgslFunctions))("%s", (name, { wgsl, ranges }) => {
  test.each(pathsOf(ranges.length))("by inputs %i, %i and each", (first, second) => {
    const source = forwardOf(wgsl, name);
    const inputs = /_forward\(([^)]*)\)/.exec(source)?.[1]?.match(/\w+(?=:)/g) ?? [];
    const once = `${name}_by_${inputs[first] ?? ""}`;
    const twice = `${once}_by_${inputs[second] ?? ""}`;
    const secondDerivative = new Derivation(new Derivation(source, name).by(first), once).by(second);
    const { wgsl: derived } = new Derivation(secondDerivative, twice).backward();
    const random = new Random(11);
    let kinks = 0;
    for (let point = 0; point < 4; point++) {
      const xs = ranges.map(([low, high]) => low + (high - low) * random.next());
      const found = compareGradient(secondDerivative, derived, twice, xs);
      expect(found.mistake?.split("\n")[0]).toBeUndefined();
      kinks += found.kinks;
    }
    expect(kinks).toBeLessThanOrEqual(2 * ranges.length);
  });
});
