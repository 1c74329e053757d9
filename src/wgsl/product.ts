/**
 * WGSL that multiplies strided arrays: y[batch, i, j] is the sum over k of a[batch, i, k] · b[batch, k, j]. One invocation computes a
 * tile of y in registers, four k at a time, without workgroup memory. Batches, rows, columns and sums may each be several
 * dimensions. How many there are is written into the shader, and so is how elements are loaded; lengths and strides are data.
 */

/**
 * How an operand's elements are loaded: one by one, as vec4 along k, or as vec4 across it, along the rows of a or the columns of b.
 */
export type ProductLoad = "number" | "along" | "across";

export interface ProductForm {
  /** Rows and columns of a tile: 8, 4 or 1, and 4 or 1. */
  readonly rows: number;
  readonly columns: number;
  readonly a: ProductLoad;
  readonly b: ProductLoad;
  /** Whether four columns are stored as one vec4. */
  readonly storesVec4: boolean;
  /** Dimensions of each kind, after merging; `turns` are those that are summed over around the innermost one. */
  readonly ranks: { readonly batches: number; readonly rows: number; readonly columns: number; readonly turns: number };
}

/** What tells the shaders of two forms apart. */
export function keyOfProduct({ rows, columns, a, b, storesVec4, ranks }: ProductForm): string {
  return [rows, columns, a, b, storesVec4, ranks.batches, ranks.rows, ranks.columns, ranks.turns].join();
}

/** Numbers of k that are added to a sum of their own before that is added to the total. */
const blockLength = 256;

/** The words of the uniform that stand first, in this order. */
const head = [
  "rows",
  "columns",
  "blocks_down",
  "blocks_across",
  "side", // of a block of tiles: 8, or 1 where there are few
  "batches",
  "chunks",
  "chunk", // length of a chunk: of k, or of turns where there are such
  "size", // elements of y
  "inner", // length of the innermost dimension that is summed over
  "a_step", // and the strides along it
  "b_step",
  "turns",
] as const;

/** The words of the uniform, from their values and, for each kind of dimension, the innermost first, length and strides. */
export function wordsOfProduct(
  values: Readonly<Record<(typeof head)[number], number>>,
  dimensions: readonly (readonly number[])[],
): Uint32Array {
  return Uint32Array.from([...head.map((name) => values[name]), ...dimensions.flat()]);
}

const letters = ["x", "y", "z", "w"] as const;

function times<T>(count: number, each: (k: number) => T): T[] {
  return Array.from({ length: count }, (_, k) => each(k));
}

/** The whole shader. */
export function productWgsl(form: ProductForm): string {
  const { ranks } = form;
  const batchesAt = head.length;
  const rowsAt = batchesAt + 4 * ranks.batches;
  const columnsAt = rowsAt + 3 * ranks.rows;
  const turnsAt = columnsAt + 3 * ranks.columns;
  const words = turnsAt + 3 * ranks.turns;
  const word = (k: number): string => `words[${Math.floor(k / 4)}][${k % 4}]`;

  /** Lines that find the positions of an index in dimensions, and what each operand's strides make of them. */
  const places = (index: string, name: string, rank: number, from: number, operands: readonly string[]): string[] => {
    const lines: string[] = [];
    const width = operands.length + 1;
    const sums = operands.map((): string[] => []);
    let rest = index;
    times(rank, (k) => {
      const length = word(from + width * k);
      const position = k === rank - 1 ? rest : `${name}_${k}`;
      if (k < rank - 1)
        lines.push(`let ${position} = ${rest} % ${length};`, `let ${name}_r${k} = ${rest} / ${length};`);
      rest = `${name}_r${k}`;
      sums.forEach((sum, operand) => sum.push(`${position} * ${word(from + width * k + 1 + operand)}`));
    });
    operands.forEach((operand, k) => {
      const sum = sums[k] ?? [];
      lines.push(`let ${operand}_${name} = ${sum.length === 0 ? "0u" : sum.join(" + ")};`);
    });
    return lines;
  };
  const rows = times(form.rows, (e) => [
    `let row_${e} = min(i + ${e}u, rows - 1u);`,
    ...places(`row_${e}`, `row${e}`, ranks.rows, rowsAt, ["a", "y"]),
  ]);
  const columns = times(form.columns, (c) => [
    `let column_${c} = min(j + ${c}u, columns - 1u);`,
    ...places(`column_${c}`, `column${c}`, ranks.columns, columnsAt, ["b", "y"]),
  ]);

  const number = form.columns === 4 ? "vec4f" : "f32";
  const all = (each: (e: number) => string): string[] => times(form.rows, each);
  const hasRest = form.a !== "along" && form.b !== "along";
  const block = [
    `let stop = min(start + ${blockLength}u, end);`,
    "var k = start;",
    "for (; k + 4u <= stop; k += 4u) {",
    ...step(form, 4),
    "}",
    ...(hasRest ? ["for (; k < stop; k++) {", ...step(form, 1), "}"] : []),
  ];
  const parts = all((e) => `var part${e} = ${number}();`);
  const add = all((e) => `total${e} += part${e};`);
  const sum =
    ranks.turns === 0
      ? [
          "let a_here = a_batch;",
          "let b_here = b_batch;",
          `let end = min((chunk + 1u) * ${word(7)}, inner);`,
          `for (var start = chunk * ${word(7)}; start < end; start += ${blockLength}u) {`,
          ...parts,
          ...block,
          ...add,
          "}",
        ]
      : [
          "let end = inner;",
          `let last = min((chunk + 1u) * ${word(7)}, ${word(12)});`,
          "var additions = 0u;",
          ...parts,
          `for (var turn = chunk * ${word(7)}; turn < last; turn++) {`,
          ...places("turn", "turn", ranks.turns, turnsAt, ["a", "b"]),
          "let a_here = a_batch + a_turn;",
          "let b_here = b_batch + b_turn;",
          `for (var start = 0u; start < end; start += ${blockLength}u) {`,
          ...block,
          "additions += (stop - start) / 4u + (stop - start) % 4u;",
          `if (additions >= ${blockLength / 4}u) {`,
          "additions = 0u;",
          ...all((e) => `total${e} += part${e}; part${e} = ${number}();`),
          "}",
          "}",
          "}",
          ...add,
        ];

  const store = all((e) => {
    const place = `y_here + y_row${e}`;
    if (form.storesVec4) return `if (i + ${e}u < rows) { y[(${place} + y_column0) / 4u] = total${e}; }`;
    const stores = times(form.columns, (c) => {
      const value = form.columns === 4 ? `total${e}.${letters[c]}` : `total${e}`;
      return `if (j + ${c}u < columns) { y[${place} + y_column${c}] = ${value}; }`;
    });
    return `if (i + ${e}u < rows) {\n${stores.join("\n")}\n}`;
  });

  const type = (isVec4: boolean): string => (isVec4 ? "array<vec4f>" : "array<f32>");
  return [
    `@group(0) @binding(0) var<storage, read> a: ${type(form.a !== "number")};`,
    `@group(0) @binding(1) var<storage, read> b: ${type(form.b !== "number")};`,
    `@group(0) @binding(2) var<storage, read_write> y: ${type(form.storesVec4)};`,
    `@group(0) @binding(3) var<uniform> words: array<vec4u, ${Math.ceil(words / 4)}>;`,
    "",
    "@compute @workgroup_size(64)",
    "fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {",
    ...head.slice(0, 6).map((name, k) => `let ${name} = ${word(k)};`),
    `let inner = ${word(9)};`,
    // Tiles near each other are computed near each other: blocks of 8 by 8 are one workgroup.
    "let tile = id.x + id.y * groups.x * 64u;",
    "let in_block = tile % (side * side);",
    "let in_row = tile / (side * side);",
    `let j = (in_row % blocks_across * side + in_block % side) * ${form.columns}u;`,
    "let in_batch = in_row / blocks_across;",
    `let i = (in_batch % blocks_down * side + in_block / side) * ${form.rows}u;`,
    "let batch = in_batch / blocks_down % batches;",
    "let chunk = in_batch / blocks_down / batches;",
    `if (i >= rows || j >= columns || chunk >= ${word(6)}) {`,
    "return;",
    "}",
    ...places("batch", "batch", ranks.batches, batchesAt, ["a", "b", "y"]),
    `let y_here = y_batch + chunk * ${word(8)};`,
    // Beyond the edge, the last row or column is computed again, and not stored.
    ...rows.flat(),
    ...columns.flat(),
    `let a_step = ${word(10)};`,
    `let b_step = ${word(11)};`,
    ...all((e) => `var total${e} = ${number}();`),
    ...sum,
    ...store,
    "}",
    "",
  ].join("\n");
}

/** Statements that add what `count` of k, from k on, give: one or four. */
function step({ rows, columns, a, b }: ProductForm, count: number): string[] {
  const lines: string[] = [];
  const along = (operand: "a" | "b", of: string): string => `${operand}[(${operand}_here + ${operand}_${of} + k) / 4u]`;
  const at = (operand: "a" | "b", of: string, c: number): string =>
    `${operand}_here + ${operand}_${of} + (k + ${c}u) * ${operand}_step`;
  const across = (operand: "a" | "b", of: string, c: number): string => `${operand}[(${at(operand, of, c)}) / 4u]`;
  const numbers = (operand: "a" | "b", of: string): string => {
    const list = times(count, (c) => `${operand}[${at(operand, of, c)}]`);
    return count === 1 ? (list[0] ?? "") : `vec4f(${list.join(", ")})`;
  };

  // Of a: what row e has at k + c.
  let ofRow: (e: number, c: number) => string;
  if (a === "across") {
    times(rows / 4, (s) =>
      times(count, (c) => {
        lines.push(`let a${s}_${c} = ${across("a", `row${4 * s}`, c)};`);
      }),
    );
    ofRow = (e, c) => `a${Math.floor(e / 4)}_${c}.${letters[e % 4]}`;
  } else {
    times(rows, (e) => {
      lines.push(`let a${e} = ${a === "along" ? along("a", `row${e}`) : numbers("a", `row${e}`)};`);
    });
    ofRow = (e, c) => (count === 1 ? `a${e}` : `a${e}.${letters[c]}`);
  }

  // Of b: what the columns of the tile have at k + c.
  let ofColumns = (c: number): string => `b${c}`;
  if (columns === 1) {
    lines.push(`let b0 = ${b === "along" ? along("b", "column0") : numbers("b", "column0")};`);
    ofColumns = (c) => (count === 1 ? "b0" : `b0.${letters[c]}`);
  } else if (b === "across") {
    times(count, (c) => {
      lines.push(`let b${c} = ${across("b", "column0", c)};`);
    });
  } else if (b === "along") {
    const four = times(4, (c) => along("b", `column${c}`));
    lines.push(`let turned = transpose(mat4x4f(${four.join(", ")}));`);
    ofColumns = (c) => `turned[${c}]`;
  } else {
    times(count, (c) => {
      const four = times(4, (column) => `b[${at("b", `column${column}`, c)}]`);
      lines.push(`let b${c} = vec4f(${four.join(", ")});`);
    });
  }

  times(rows, (e) => {
    const products = times(count, (c) => `${ofRow(e, c)} * ${ofColumns(c)}`);
    lines.push(`part${e} += ${products.join(" + ")};`);
  });
  return lines;
}
