/** Random element-wise sources, each given again by its seed. */
import { Random } from "./random.js";
import { Expressions } from "./expressions.js";
import { f32, Scope, show, vector, type Helper, type Named, type RandomType } from "./scope.js";
import { Statements } from "./statements.js";

export interface RandomProgram {
  readonly seed: number;
  /** With `fn rand_forward(…) -> f32`. */
  readonly source: string;
  readonly inputs: readonly string[];
}

/** Endings that a differentiator could like as well. */
const helperNames = ["d", "step_d", "tangent", "forward_d", "gradient", "x"];
const inputNames = ["a", "b", "x", "d_x", "t", "y0", "d_a", "m", "dx", "d", "g", "value"];

export function randomProgram(seed: number): RandomProgram {
  const random = new Random(seed);
  const constants = new Scope(random);
  const texts = [...moduleConstants(random, constants)];
  const structs = random.list(0, 2, (k) => struct(random, `rand_${k === 0 ? "Pair" : "State"}`));
  texts.push(...structs.map(({ text }) => text));
  const types = structs.map(({ type }) => type);
  const helpers: Helper[] = [];
  for (const _ of random.list(0, 3, () => 0)) {
    const { text, helper } = helperFunction(random, constants, helpers, types);
    texts.push(text);
    helpers.push(helper);
  }
  const inputs = distinct(random, inputNames, random.whole(1, 4)).map((name) => ({ name, type: f32 }));
  const forward = functionText(
    random,
    "rand_forward",
    inputs,
    f32,
    constants,
    new Statements(random, helpers, types),
    2,
  );
  // WGSL's functions may stand before what they call.
  const all = random.chance(0.3) ? [forward, ...texts] : [...texts, forward];
  return { seed, source: `// randomProgram(${seed})\n${all.join("\n")}\n`, inputs: inputs.map(({ name }) => name) };
}

function distinct(random: Random, names: readonly string[], count: number): string[] {
  const left = [...names];
  return Array.from({ length: count }, () => left.splice(random.whole(0, left.length - 1), 1)[0]!);
}

function moduleConstants(random: Random, scope: Scope): string[] {
  const all: [Named, string][] = [
    [{ name: "rand_k", type: f32 }, "const rand_k = 0.75;"],
    [{ name: "rand_half", type: f32 }, "const rand_half: f32 = rand_third * 1.5;\nconst rand_third = 1 / 3.0;"],
    [{ name: "rand_axis", type: vector(3) }, "const rand_axis = vec3f(0.5, 1, -0.25);"],
    [
      { name: "rand_table", type: { kind: "array", element: f32, count: 3 } },
      "const rand_table = array(0.5, -1.25, 2);",
    ],
  ];
  const chosen = all.filter(() => random.chance(0.4));
  for (const [{ name, type }] of chosen) scope.add(name, type);
  return chosen.map(([, text]) => text);
}

function struct(random: Random, name: string): { text: string; type: RandomType } {
  const members = distinct(random, ["d", "value", "x", "a", "d_x", "v"], random.whole(1, 3)).map((member) => ({
    name: member,
    type: random.pick<RandomType>([
      f32,
      f32,
      vector(random.whole(2, 3)),
      { kind: "i32" },
      { kind: "array", element: f32, count: 2 },
      { kind: "matrix", columns: 2, rows: 2 },
    ]),
  }));
  const text = `struct ${name} { ${members.map((member) => `${member.name}: ${show(member.type)}`).join(", ")} }`;
  return { text, type: { kind: "struct", name, members } };
}

function helperFunction(
  random: Random,
  constants: Scope,
  helpers: readonly Helper[],
  types: readonly RandomType[],
): { text: string; helper: Helper } {
  const statements = new Statements(random, helpers, types);
  const name = `rand_${helperNames[helpers.length] ?? ""}${random.chance(0.5) ? "_x" : ""}`;
  const taken = new Scope(random);
  const parameters = random.list(1, 3, () => {
    const parameter = { name: taken.fresh(), type: statements.type() };
    taken.add(parameter.name, parameter.type);
    return parameter;
  });
  const result = random.pick<RandomType>([f32, f32, vector(random.whole(2, 3)), ...types]);
  const text = functionText(random, name, parameters, result, constants, statements, 1);
  return { text, helper: { name, type: result, parameters } };
}

function functionText(
  random: Random,
  name: string,
  parameters: readonly Named[],
  result: RandomType,
  constants: Scope,
  statements: Statements,
  depth: number,
): string {
  const scope = constants.child();
  for (const parameter of parameters) scope.add(parameter.name, parameter.type);
  const place = { result, loops: 2 - depth, canBreak: false, canContinue: false, depth };
  const lines = statements.block(scope, place, depth === 2 ? 5 : 2);
  const last = new Expressions(random, scope, []).of(result, 2);
  const sum = result.kind === "f32" ? sumOf(random, scope) : "";
  const head = parameters.map((parameter) => `${parameter.name}: ${show(parameter.type)}`).join(", ");
  return [
    `fn ${name}(${head}) -> ${show(result)} {`,
    ...lines.map((line) => `  ${line}`),
    `  return ${last}${sum};`,
    "}",
  ].join("\n");
}

/** Some of what was computed, so that it counts. */
function sumOf(random: Random, scope: Scope): string {
  const parts = scope.parts((type) => type.kind === "f32").filter(({ name }) => !name.startsWith("rand_"));
  return parts
    .filter(() => random.chance(5 / parts.length))
    .map(({ name }) => ` + ${name}`)
    .join("");
}
