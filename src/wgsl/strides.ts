/**
 * WGSL that finds the elements of broadcast and transposed operands. How many dimensions there are is written into the shader:
 * a loop over a rank that only a uniform knows costs twelve times what the divisions do. Lengths and strides stay data.
 */

/**
 * How the elements of four neighbours of the result are found:
 * - vector: rows of a multiple of 4: the four are in one row
 * - wrapped: rows of at least 3: some of them may be in the next row, whose beginning is found, too
 * - single: each by divisions of its own
 */
type Step = "vector" | "wrapped" | "single";

export interface Walk {
  /** Dimensions that are left after those that all operands cross alike have become one. */
  readonly rank: number;
  readonly step: Step;
}

/** What tells the shaders of two walks apart. */
export function keyOf(walk: Walk | null): string {
  return walk === null ? "" : `${walk.rank}${walk.step}`;
}

/**
 * How an operand's four elements lie: anywhere; they are one ("splat"), or a vec4 of the array ("vec4"), both where the step is
 * "vector" only.
 */
export type Lie = "strided" | "splat" | "vec4";

export interface WalkedOperand {
  readonly name: string;
  readonly lie: Lie;
}

/**
 * Words in the uniform `steps`: the lengths, the last dimension first, then for each operand its first element and its strides. Where
 * the step is "vector", the last dimension is counted in vec4; and along it, one step of a "vec4" is one of them, as for it all
 * of the strides are.
 */
export function wordsOf({ rank }: Walk, operands: number): number {
  return rank + operands * (rank + 1);
}

/**
 * Statements that compute where each operand's elements are, from `i`, the index of the vec4 of the result; and for each operand
 * what it reads: a number for "splat", else a vec4f.
 */
export function walk(
  { rank, step }: Walk,
  operands: readonly WalkedOperand[],
): { readonly lines: readonly string[]; readonly reads: ReadonlyMap<string, string> } {
  const lengthOf = (dimension: number): string => word(dimension);
  const wordOf = (operand: number, k: number): string => word(rank + operand * (rank + 1) + k);
  const lines: string[] = [];
  const reads = new Map<string, string>();

  /** The position of an element in each dimension, from a variable that holds its index; the last one isn't divided. */
  const positions = (index: string, prefix: string, from = 0): string[] => {
    if (rank === 0) return [];
    const names: string[] = [];
    let rest = index;
    for (let k = from; k < rank - 1; k++) {
      lines.push(`let ${prefix}${k} = ${rest} % ${lengthOf(k)};`, `let ${prefix}r${k} = ${rest} / ${lengthOf(k)};`);
      names.push(`${prefix}${k}`);
      rest = `${prefix}r${k}`;
    }
    names.push(rest);
    return names;
  };
  const place = (operand: number, names: readonly string[], from = 0): string =>
    [wordOf(operand, 0), ...names.map((name, k) => `${name} * ${wordOf(operand, 1 + from + k)}`)].join(" + ");

  if (step === "vector") {
    const names = positions("i", "p");
    operands.forEach(({ name, lie }, k) => {
      if (lie !== "strided") {
        lines.push(`let at_${name} = ${place(k, names)};`);
        reads.set(name, `array_${name}[at_${name}]`);
        return;
      }
      const [inner = "0u", ...outer] = names;
      lines.push(`let step_${name} = ${wordOf(k, 1)};`);
      lines.push(`let at_${name} = ${place(k, outer, 1)} + ${inner} * 4u * step_${name};`);
      reads.set(
        name,
        four(name, (j) => times(`step_${name}`, j, `at_${name}`)),
      );
    });
  } else if (step === "wrapped") {
    lines.push(`let column = 4u * i % ${lengthOf(0)};`, `let row = 4u * i / ${lengthOf(0)};`, "let next = row + 1u;");
    const [here, there] = [positions("row", "p", 1), positions("next", "q", 1)];
    operands.forEach(({ name }, k) => {
      const stride = `step_${name}`;
      lines.push(
        `let ${stride} = ${wordOf(k, 1)};`,
        `let at_${name} = ${place(k, here, 1)} + column * ${stride};`,
        `let on_${name} = ${place(k, there, 1)} - (${lengthOf(0)} - column) * ${stride};`,
      );
      reads.set(
        name,
        four(name, (j) => {
          const own = times(stride, j, `at_${name}`);
          return j === 0 ? own : `select(${own}, ${times(stride, j, `on_${name}`)}, column + ${j}u >= ${lengthOf(0)})`;
        }),
      );
    });
  } else {
    const each = [0, 1, 2, 3].map((j) => {
      lines.push(`let e${j} = 4u * i + ${j}u;`);
      return positions(`e${j}`, `p${j}_`);
    });
    operands.forEach(({ name }, k) => {
      reads.set(
        name,
        four(name, (j) => place(k, each[j] ?? [])),
      );
    });
  }
  return { lines, reads };
}

function word(k: number): string {
  return `steps[${Math.floor(k / 4)}][${k % 4}]`;
}

function four(name: string, place: (j: number) => string): string {
  return `vec4f(${[0, 1, 2, 3].map((j) => `array_${name}[${place(j)}]`).join(", ")})`;
}

function times(stride: string, j: number, from: string): string {
  if (j === 0) return from;
  return `${from} + ${j === 1 ? "" : `${j}u * `}${stride}`;
}
