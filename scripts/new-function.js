/**
 * `npm run new-function cosh`: writes all that an element-wise function needs, with `FILL IN` where a person must think:
 * the formulas, the promise, the documentation. What is still missing fails test/node/complete.test.ts, by name.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { format, resolveConfig } from "prettier";

const root = fileURLToPath(new URL("..", import.meta.url));
const usage = "usage: npm run new-function NAME, or npm run new-function -- NAME --operands 2";

/**
 * What goes where: a file, the line that it goes above, and the text.
 *
 * @typedef {readonly [file: string, mark: RegExp, text: string]} Insertion
 */

/**
 * @param {string[]} args
 * @throws {Error} for arguments that can't be understood
 */
export function parseArguments(args) {
  const { values, positionals } = parseArgs({
    args,
    options: { operands: { type: "string", default: "1" } },
    allowPositionals: true,
  });
  const [name = "", ...rest] = positionals;
  if (!/^[a-z][A-Za-z0-9]*$/.test(name) || rest.length > 0 || !["1", "2"].includes(values.operands)) {
    throw new Error(`a name is needed, such as cosh, and 1 or 2 operands\n${usage}`);
  }
  return { name, isPair: values.operands === "2" };
}

/** The function of JavaScript's Math that is called the same, as it is written, or one to fill in. @param {string} name @param {string} operands */
function float64(name, operands) {
  return mathFunction(name) === null ? `() => NaN /* FILL IN: ${name} in float64, of (${operands}) */` : `Math.${name}`;
}

/** @param {string} name @returns {((...x: number[]) => number) | null} */
function mathFunction(name) {
  /** @type {unknown} */
  const f = Reflect.get(Math, name);
  return typeof f === "function" ? /** @type {(...x: number[]) => number} */ (f) : null;
}

/** @param {number} x as JavaScript is written, in float32 */
function written(x) {
  const rounded = Math.fround(x);
  if (Object.is(rounded, -0)) return "-0";
  return String(rounded).replace("Infinity", "inf").replace("NaN", "nan");
}

/** @param {string} name @param {boolean} isPair */
function shaderOf(name, isPair) {
  const parameters = isPair ? ["a", "b"] : ["x"];
  const typed = parameters.map((parameter) => `${parameter}: f32`).join(", ");
  return `// y = ${name}(${parameters.join(", ")}) FILL IN: the formula
fn ${name}_forward(${typed}) -> f32 {
  return ${parameters[0]}; // FILL IN
}

// ${isPair ? "dy/da and dy/db" : "dy/dx"} = FILL IN: the formula
fn ${name}_backward(${typed}, gy: f32) -> ${isPair ? "vec2f" : "f32"} {
  return ${isPair ? "vec2f(gy, gy)" : "gy"}; // FILL IN
}
`;
}

/** @param {string} name @param {boolean} isPair @returns {Insertion[]} */
function insertionsOf(name, isPair) {
  const count = isPair ? "two operands" : "one operand";
  const above = new RegExp(`^ *// New functions of ${count}: above this line\\.$`, "m");
  const wgsl = `${name}Wgsl`;
  const one = "@throws ArgumentError where x isn't a Variable or numbers.";
  const two =
    "@throws ShapeError where the shapes don't broadcast, ArgumentError where one isn't a Variable or numbers.";
  const f = mathFunction(name);
  const isExact = (/** @type {number} */ x) => f === null || Number.isInteger(f(x)) || !Number.isFinite(f(x));
  const x = [0, -0, 1, -1, 100, -100, Infinity, -Infinity, NaN].filter(isExact);
  const results = x.map((value) => (f === null ? "nan" : written(f(value))));
  const shown = isPair ? [f?.(1, 3), f?.(2, 3)] : [f?.(0), f?.(1)];
  const example =
    f === null ? "FILL IN: [its results, to 7 digits]" : `[${shown.map((y) => Number(y?.toPrecision(8))).join(", ")}]`;
  const list = (/** @type {string[]} */ values) => `[${values.join(", ")}]`;
  const fill = "// FILL IN: check what it gives at its kinks and poles";
  const edges = isPair
    ? `${name}: two([0, nan, 1], [0, 1, nan], [nan, nan, nan]), ${fill}`
    : `${name}: one(${list(x.map(written))}, ${list(results)}, ${list(x.map(() => "nan"))}), ${fill}, and the gradients`;
  const slope = "() => NaN /* FILL IN: its derivative in float64 */";
  return [
    [
      "src/functions/pointwise.ts",
      above,
      `/**
 * FILL IN: the formula${isPair ? ", broadcast as in NumPy" : ", of any shape"}, its units, its gradient, and what happens at the ends.
 *
 * ${isPair ? two : one}
 * @example
 * ${name}(${isPair ? "[1, 2], 3" : "[0, 1]"}); // ${example}
 */
export const ${name} = ${isPair ? "binary" : "unary"}(${wgsl}, ${
        isPair ? "(gy) => [mul(gy, NaN), mul(gy, NaN)]" : "(gy) => mul(gy, NaN)"
      }); // FILL IN: the derivative, made of functions

`,
    ],
    [
      "src/functions/methods.ts",
      above,
      isPair
        ? `/** FILL IN: the formula; the same as ${name}(x, other). @throws ShapeError where the shapes don't broadcast. */
    ${name}(other: Operand): Variable;\n`
        : `/** FILL IN: the formula; the same as ${name}(x). */\n    ${name}(): Variable;\n`,
    ],
    [
      "sweep/table.ts",
      above,
      `${isPair ? "pair" : "forward"}("${name}", ${float64(name, isPair ? "a, b" : "x")}, within(1)), // FILL IN: what is promised, at most 2 ULP\n`,
    ],
    [
      "sweep/table.ts",
      new RegExp(`^ *// New gradients of ${count}: above this line\\.$`, "m"),
      isPair
        ? `...backwardPair("${name}", [${slope}, ${slope}], within(4)),\n`
        : `...backward("${name}", ${slope}, within(4)),\n`,
    ],
    ...(isPair
      ? []
      : [
          /** @type {Insertion} */ ([
            "sweep/table.ts",
            /^ *\/\/ New second derivatives: above this line\.$/m,
            `second("${name}", () => NaN /* FILL IN: its second derivative in float64 */, within(6)),\n`,
          ]),
        ]),
    [
      "test/reference/operations.ts",
      above,
      isPair
        ? `${name}: binary(g.${name}, ${float64(name, "a, b")}, [-2, 2], [0.6, 2]), // FILL IN: ranges without kinks and poles\n`
        : `${name}: unary(g.${name}, ${float64(name, "x")}, [-2, 2]), // FILL IN: a range without kinks and poles\n`,
    ],
    ["test/reference/edges.ts", above, `${edges}\n`],
    [
      "RELIABILITY.md",
      /^\| `atan2` {2,}\|/m,
      `| \`${name}\` | FILL IN: from where on | NaN | FILL IN: the gradient's formula, and where it is infinite, 0 or NaN |\n`,
    ],
  ];
}

/**
 * @param {string} text
 * @param {RegExp} mark
 * @param {string} addition
 * @throws {Error} where the mark is missing
 */
function insertedAbove(text, mark, addition) {
  const at = text.search(mark);
  if (at < 0) throw new Error(`there is no line ${mark.source}`);
  return `${text.slice(0, at)}${addition}${text.slice(at)}`;
}

/** The import of the shader, in the order of the names. @param {string} text @param {string} name */
function withImport(text, name) {
  const line = `import ${name}Wgsl from "../../shaders/${name}.wgsl?raw";\n`;
  const imports = text.match(/^import \w+ from ".*\?raw";\n/gm) ?? [];
  const all = [...imports, line].sort((a, b) => a.toLowerCase().localeCompare(b.toLowerCase()));
  return text.replace(imports.join(""), all.join(""));
}

/** The name at the end of its line of README.md's table. @param {string} text @param {string} name @param {boolean} isPair */
function withName(text, name, isPair) {
  const row = isPair ? /^(\| of two operands +\|.*`) *\|$/m : /^(\| of one operand +\|.*`) *\|$/m;
  if (!row.test(text)) throw new Error("README.md's table of functions has no line for it");
  return text.replace(row, `$1, \`${name}\` |`);
}

/** @param {string} folder @param {string} file @param {(text: string) => string} change */
async function edit(folder, file, change) {
  const path = join(folder, file);
  const options = await resolveConfig(path);
  writeFileSync(path, await format(change(readFileSync(path, "utf8")), { ...options, filepath: path }));
}

/**
 * @param {string} folder the repository
 * @param {string} name
 * @param {boolean} isPair
 * @returns {Promise<string[]>} the files that were written
 */
export async function newFunction(folder, name, isPair) {
  const shader = `shaders/${name}.wgsl`;
  if (existsSync(join(folder, shader))) throw new Error(`${shader} is there already`);
  writeFileSync(join(folder, shader), shaderOf(name, isPair));
  const insertions = insertionsOf(name, isPair);
  const files = [...new Set(insertions.map(([file]) => file))];
  for (const file of files) {
    await edit(folder, file, (text) =>
      insertions
        .filter((insertion) => insertion[0] === file)
        .reduce(
          (changed, [, mark, addition]) => insertedAbove(changed, mark, addition),
          file.endsWith("pointwise.ts") ? withImport(text, name) : text,
        ),
    );
  }
  await edit(folder, "README.md", (text) => withName(text, name, isPair));
  return [shader, ...files, "README.md"];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { name, isPair } = parseArguments(process.argv.slice(2));
    const files = await newFunction(root, name, isPair);
    process.stdout.write(`${files.join("\n")}

Fill in what says FILL IN (git grep "FILL IN"), then measure: npm run sweep -- --of ${name} --quick
What is missing fails: npx vitest run --project node test/node/complete.test.ts\n`);
  } catch (error) {
    process.stderr.write(`new-function: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
