import { expect, test } from "vitest";
import { parseElementwise } from "../../../../src/wgsl/parse-elementwise.js";
import { interpret } from "../interpreter/program.js";
import { randomProgram } from "./program.js";

/** 300 programs, other ones where SEED says so. */
const first = Number(process.env["SEED"] ?? 1) * 1000;
const seeds = Array.from({ length: 300 }, (_, k) => first + k);

test("random programs pass the library's own check, and have a value", () => {
  for (const seed of seeds) {
    const { source, inputs } = randomProgram(seed);
    expect(parseElementwise(source).inputs, source).toEqual(inputs);
    const value = interpret(
      source,
      "rand_forward",
      inputs.map((_, k) => 0.3 + 0.4 * k),
    );
    expect(value, source).toSatisfy(Number.isFinite);
  }
});

test("random programs use the whole subset", () => {
  const all = seeds.map((seed) => randomProgram(seed).source).join("\n");
  const wanted =
    "for while loop continuing if switch break continue return struct const let var array< mat2x2f vec2f vec3f vec4f " +
    "select( determinant( modf( frexp( refract( transpose( smoothstep( math_erf( else bool u32 .x [ % && ||";
  for (const part of wanted.split(" ")) expect(all).toContain(part);
  expect(all).toMatch(/break if/);
  expect(all).toMatch(/\w+\.[xyzwrgba] [-+*/]?= /);
  expect(all).toMatch(/\w+\[\w+ % \d\] [-+*/]?= /);
});

test("a seed gives its program again", () => {
  expect(randomProgram(7)).toEqual(randomProgram(7));
  expect(randomProgram(7).source).not.toBe(randomProgram(8).source);
});
