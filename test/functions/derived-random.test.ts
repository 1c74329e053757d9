/** Random programs on the GPU: values and derived gradients beside the float64 interpreter of the same text. */
import { beforeAll, expect, test } from "vitest";
import { elementwise, init, Variable } from "../../src/index.js";
import { gradOf } from "../reference/numbers.js";
import { randomProgram } from "../wgsl/derive/fuzz/program.js";
import { Random } from "../wgsl/derive/fuzz/random.js";
import { programOf } from "../wgsl/derive/interpreter/program.js";

beforeAll(async () => {
  await init();
});

const first = 1;
const count = 30;
const points = 16;
/** Relative to the value, or to 1 where that is larger: many roundings of float32. */
const tolerance = 2e-3;

const isFar = (found: number, wanted: number): boolean =>
  !(Math.abs(found - wanted) <= tolerance * Math.max(1, Math.abs(wanted)));

test(`${count} random programs from seed ${first} on`, { timeout: 0 }, async () => {
  for (let seed = first; seed < first + count; seed++) {
    const { source, inputs } = randomProgram(seed);
    const random = new Random(seed);
    const columns = inputs.map(() => Float32Array.from({ length: points }, () => 3 * random.next() - 1.5));
    const f = elementwise(source);
    const xs = columns.map((column) => new Variable(column));
    const y = f(...xs);
    y.backward();
    const values = await y.read();
    const gradients = await Promise.all(xs.map((x) => gradOf(x)));
    const program = programOf(`${source}\n${f.gradient}`);
    const parameters = program.function("rand_backward").parameters.map(({ name }) => name);
    let far = 0;
    for (let i = 0; i < points; i++) {
      const at = columns.map((column) => column[i] ?? NaN);
      const [value = NaN] = program.value("rand_forward", at);
      const given = new Map([...inputs.map((input, k): [string, number] => [input, at[k] ?? NaN]), ["gy", 1]]);
      const slopes = program.value(
        "rand_backward",
        parameters.map((name) => given.get(name) ?? NaN),
      );
      const pairs = [[values[i] ?? NaN, value], ...slopes.map((slope, k) => [gradients[k]?.[i] ?? NaN, slope])];
      if (pairs.some(([found = NaN, wanted = NaN]) => isFar(found, wanted))) far++;
    }
    // One point of a program may be where a rounding decides which way it takes.
    expect(far, `seed ${seed}\n${source}\n${f.gradient}`).toBeLessThanOrEqual(1);
  }
});
