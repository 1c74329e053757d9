import { expect, test } from "vitest";
import { check } from "../../../../src/wgsl/check/check.js";
import { mathFunction } from "../../../../src/wgsl/check/outside.js";
import { withComponentWrites } from "../../../../src/wgsl/component-writes.js";
import { parse } from "../../../../src/wgsl/language/parser.js";
import { SourceText } from "../../../../src/wgsl/language/source-text.js";
import { Derivation } from "../../../../src/wgsl/derive/derive.js";
import { compareGradient } from "./compare.js";
import { randomProgram } from "./program.js";
import { Random } from "./random.js";

/** Other programs with SEED=n, other counts with PROGRAMS=n; a mistake's message has the seed of its program. */
const first = Number(process.env["SEED"] ?? 1) * 1000;
const count = Number(process.env["PROGRAMS"] ?? 300);

/** At most so many differences may say nothing, since a kink is near. */
const mostKinks = 0.1;

/** The source without what only some drivers have. The interpreter runs it as it is. */
function portable(text: string): string {
  const source = new SourceText(text, "rand");
  return withComponentWrites(source, check(source, parse(source), mathFunction));
}

test(`the derived gradients of ${count} random programs from seed ${first} on are right`, { timeout: 0 }, () => {
  let [kinks, all] = [0, 0];
  const mistakes: string[] = [];
  for (let seed = first; seed < first + count; seed++) {
    const { source, inputs } = randomProgram(seed);
    const random = new Random(seed);
    try {
      const { wgsl } = new Derivation(portable(source), "rand").backward();
      for (let point = 0; point < 2; point++) {
        const xs = inputs.map(() => 3 * random.next() - 1.5);
        const found = compareGradient(source, wgsl, "rand", xs);
        if (found.mistake !== null) mistakes.push(found.mistake);
        kinks += found.kinks;
        all += xs.length;
      }
    } catch (error) {
      mistakes.push(`${error instanceof Error ? error.message : String(error)}\n${source}`);
    }
  }
  expect(mistakes[0], `${mistakes.length} mistakes`).toBeUndefined();
  expect(kinks).toBeLessThan(mostKinks * all);
});

test.each([
  "-(m * v)",
  "m * -v",
  "-v * m",
  "(m - n) * v",
  "(n - m * n) * v",
  "(m * -x - n * (-x * b)) * v",
  "-(-(m * v) * n)",
])("signs beside matrices stay where WGSL allows them: %s", (expression) => {
  const source = `fn sign_forward(x: f32, b: f32) -> f32 {
    let m = mat2x2f(x, b, x * b, 1);
    let n = mat2x2f(b, 2, x, sin(x));
    let v = vec2f(x * b, x - b);
    return dot(${expression}, vec2f(2, b));
  }`;
  const { wgsl } = new Derivation(source, "sign").backward();
  const { mistake, kinks } = compareGradient(source, wgsl, "sign", [0.7, -1.1]);
  expect(mistake).toBeNull();
  expect(kinks).toBe(0);
});

test.each([
  ["of two components", "v.xy = vec2(b, 2) * x; v.zx *= 3.0;"],
  ["in another order", "v.zyx = v.xyz * vec3f(x, b, 1); v.zyx += v;"],
  ["of a part of what was chosen", "v.zyx.xy = vec2f(x * b, b); v.zyx.z -= x;"],
  [
    "of a vector in a matrix in an array",
    "var a = array(mat2x3f(v, v), mat2x3f()); a[1][0].zy += v.xz * x; a[0][1].rb = a[1][0].bg; v += a[0][1] * a[1][0];",
  ],
  ["in the head of a for", "for (v.xz = vec2f(b); v.x < 4.0 + b; v.xz += vec2f(1, x * v.y)) { v.y *= b; }"],
  [
    "in branches and loops",
    "for (var i = 0; i < 3; i++) { if (i == 1) { v.yz = v.zy * x; continue; } v.xy /= vec2(b, 2); }",
  ],
])("the derivative of an assignment %s is right", (_, statements) => {
  const source = `fn part_forward(x: f32, b: f32) -> f32 {
    var v = vec3f(x * x, b * x, x + b);
    ${statements}
    return dot(v, vec3f(1, 2, b));
  }`;
  const plain = portable(source);
  const { wgsl } = new Derivation(plain, "part").backward();
  const { mistake, kinks } = compareGradient(source, wgsl, "part", [0.7, 1.1]);
  expect(mistake).toBeNull();
  expect(kinks).toBe(0);
  expect(`${plain}${wgsl}`).not.toMatch(/\.[xyzrgb]{2,} *[-+*/]?=[^=]/);
  expect(plain.split("\n")).toHaveLength(source.split("\n").length);
});

test("arrays keep their lengths where what these are called means something else elsewhere", () => {
  const source = `const sized_n = 2;
  fn sized_forward(x: f32, b: f32) -> f32 {
    const n = sized_n + 1;
    var a: array<f32, n>;
    for (var i = 0; i < n; i++) { a[i] = x * f32(i); }
    { const n = 4; var c = array<f32, n>(x, b, x * b, a[2]); c[n - 1] *= b; a[1] += c[3]; }
    return a[1] * a[n - 1] + array<f32, n>(a[0], x, b)[1];
  }`;
  const derivation = new Derivation(source, "sized");
  const { wgsl } = derivation.backward();
  const { mistake, kinks } = compareGradient(source, wgsl, "sized", [0.7, -1.1]);
  expect(mistake).toBeNull();
  expect(kinks).toBe(0);
  const again = new Derivation(derivation.by(0), "sized_by_x").backward();
  expect(compareGradient(derivation.by(0), again.wgsl, "sized_by_x", [0.7, -1.1]).mistake).toBeNull();
});

test("the derivative of a random program is a source that is differentiated again", { timeout: 0 }, () => {
  for (let seed = first; seed < first + 60; seed++) {
    const { source, inputs } = randomProgram(seed);
    const slope = new Derivation(portable(source), "rand").by(0);
    const name = `rand_by_${inputs[0] ?? ""}`;
    const { wgsl } = new Derivation(slope, name).backward();
    const xs = inputs.map((_, k) => 0.3 + 0.21 * k);
    expect(compareGradient(slope, wgsl, name, xs).mistake, `randomProgram(${seed})`).toBeNull();
  }
});
