/**
 * The dispatches of an update. Each is for leaves of one shape. Leaves that a function reads stand in one group with those
 * it writes, since a dispatch reads all of an element before it writes: no group then changes what another one reads.
 */
import { at } from "../../base/assert.js";
import { FuseError, ShapeError } from "../../base/errors.js";
import { broadcastShapes, sameShape, type Shape } from "../../base/shape.js";
import type { Elementwise } from "../../elementwise/elementwise.js";
import { broadcastOperand, isTooLarge, loadKindOf, read, type StridedOperand } from "../../elementwise/operands.js";
import type { GpuArray } from "../../gpu/array.js";
import { checkDevice } from "../../gpu/checks.js";
import type { UniformBlock } from "../../gpu/work.js";
import type { Variable } from "../../graph/variable.js";
import type { Parameter } from "../../wgsl/harness.js";
import type { Walk } from "../../wgsl/strides.js";
import { inDepthOrder, Program } from "../fuse/program.js";
import { SymbolVariable } from "../fuse/symbol.js";
import { realOf, StandIn, type TracedUpdate } from "./traced.js";

/** The most functions in one shader. */
const mostNodes = 50;

export interface Group {
  readonly program: Program;
  /** How each of the program's inputs is read. */
  readonly parameters: readonly Omit<Parameter, "name">[];
  readonly walk: Walk | null;
  readonly inputs: readonly GpuArray[];
  readonly outputs: readonly GpuArray[];
  readonly uniforms: readonly UniformBlock[];
}

/** @throws FuseError, ShapeError, LimitError and what else a dispatch throws, where shaders can't do it in place. */
export function groupsOf(traced: TracedUpdate): Group[] {
  const memories = traced.leaves.map(({ array }) => array.hold().storage);
  if (new Set(memories).size < memories.length) throw new FuseError("update: two leaves have the same memory");
  const all = traced.leaves.map((_, k) => k);
  if (all.length === 1 || canBeOne(traced)) return [groupOf(traced, all)];
  return connected(traced).map((members) => groupOf(traced, members));
}

/** Whether all leaves have one shape, and a shader can bind everything, whichever need each other. */
function canBeOne({ leaves, symbols, results }: TracedUpdate): boolean {
  const [first] = leaves;
  if (first === undefined) return false;
  const nodes = inDepthOrder(results, new Set(symbols));
  const bound = new Set(inputsOf(nodes, results).filter((input) => realOf(input).array.constant === null));
  for (const symbol of symbols.slice(0, leaves.length)) bound.add(symbol);
  const fit = nodes.length <= mostNodes && bound.size <= first.device.limits.maxStorageBuffersPerShaderStage;
  return fit && leaves.every(({ shape }) => sameShape(shape, first.shape));
}

/** The leaves, by index, in the smallest groups of which none reads what another one writes. */
function connected(traced: TracedUpdate): number[][] {
  let groups: number[][] = [];
  traced.results.forEach((result, k) => {
    const nodes = inDepthOrder([result], new Set(traced.symbols));
    const read = inputsOf(nodes, [result]).map((input) => leafOf(traced, input));
    const joined = groups.filter((group) => group.some((leaf) => leaf === k || read.includes(leaf)));
    const others = groups.filter((group) => !joined.includes(group));
    groups = [...others, [...new Set([...joined.flat(), k, ...read.filter((leaf) => leaf >= 0)])]];
  });
  return groups;
}

function groupOf(traced: TracedUpdate, members: readonly number[]): Group {
  const { shape, device } = at(traced.leaves, at(members, 0));
  if (!members.every((leaf) => sameShape(at(traced.leaves, leaf).shape, shape))) {
    throw new FuseError("update: leaves of several shapes need each other");
  }
  const results = members.map((leaf) => at(traced.results, leaf));
  const nodes = inDepthOrder(results, new Set(traced.symbols));
  if (nodes.length > mostNodes) throw new FuseError(`update: ${nodes.length} functions in one shader`);
  const variables = [...new Set([...members.map((leaf) => at(traced.symbols, leaf)), ...inputsOf(nodes, results)])];
  checkShapes(variables, nodes, results, shape);
  const outputs = members.map((leaf) => at(traced.leaves, leaf).array);
  const loads = new Loads(shape);
  for (const variable of variables) {
    const leaf = leafOf(traced, variable);
    if (leaf < 0) loads.add(realOf(variable).array);
    else loads.addResult(members.indexOf(leaf));
  }
  for (const array of [...loads.inputs, ...outputs]) checkDevice(array, device, "update");
  loads.check(outputs.length);
  return { program: new Program(variables, nodes, results), ...loads.read(), inputs: loads.inputs, outputs };
}

/** How the arrays of one dispatch are read. */
class Loads {
  /** What is bound. */
  readonly inputs: GpuArray[] = [];
  readonly #parameters: (Omit<Parameter, "name"> & { readonly operand?: StridedOperand })[] = [];
  readonly #shape: Shape;
  readonly #numbers: number[] = [];

  constructor(shape: Shape) {
    this.#shape = shape;
  }

  addResult(index: number): void {
    if (index < 0) throw new FuseError("update: a leaf of another dispatch is read");
    this.#parameters.push({ load: "result", index });
  }

  add(array: GpuArray): void {
    if (array.constant !== null) {
      this.#parameters.push({ load: "packed", index: this.#numbers.push(array.constant) - 1 });
      return;
    }
    const operand = broadcastOperand(array, this.#shape);
    this.inputs.push(array.element ?? array);
    this.#parameters.push({ load: loadKindOf(operand, this.#shape), operand });
  }

  /** @throws FuseError where a shader can't bind it all. */
  check(outputs: number): void {
    const [first] = this.inputs;
    if (first === undefined) return;
    const { maxStorageBuffersPerShaderStage: most } = first.device.limits;
    const arrays = this.inputs.length + outputs;
    if (arrays > most) throw new FuseError(`update: ${arrays} arrays in one shader`);
    const isStrided = this.#parameters.some(({ load }) => load === "strided");
    if (isStrided && isTooLarge(this.#operands, this.#shape)) {
      throw new FuseError("update: what is read by strides can't be taken in windows");
    }
  }

  /** @throws LimitError where these are too many dimensions of too many operands. */
  read(): Pick<Group, "parameters" | "walk" | "uniforms"> {
    const operands = this.#operands;
    const loads = this.#parameters.flatMap(({ load, operand }) => (operand === undefined ? [] : [load]));
    const { loads: told, walk, words } = read(operands, loads, this.#shape, "update");
    const parameters = this.#parameters.map(({ operand, ...parameter }) =>
      operand === undefined ? parameter : { load: at(told, operands.indexOf(operand)) },
    );
    const uniforms: UniformBlock[] = [];
    if (this.#numbers.length > 0) uniforms.push(Float32Array.from(this.#numbers));
    if (words !== null) uniforms.push(words);
    return { parameters, walk, uniforms };
  }

  get #operands(): StridedOperand[] {
    return this.#parameters.flatMap(({ operand }) => operand ?? []);
  }
}

/** What these functions and results are made of, and is not computed by them. */
function inputsOf(nodes: readonly Elementwise[], results: readonly Variable[]): Variable[] {
  const inputs = [...nodes.flatMap((node) => node.inputs), ...results].filter(
    (variable) => variable instanceof StandIn || !(variable instanceof SymbolVariable && variable.creator !== null),
  );
  if (inputs.some((input) => input instanceof SymbolVariable && !(input instanceof StandIn))) {
    throw new FuseError("update: an operand of a fused function is used, kept from when that was traced");
  }
  return inputs;
}

/** Which of the leaves this is, or has the same memory as: WebGPU forbids to bind it twice. -1 for none. */
function leafOf({ leaves }: TracedUpdate, variable: Variable): number {
  const { array } = realOf(variable);
  const { memory } = array;
  if (memory === null) return -1;
  const index = leaves.findIndex((leaf) => leaf.array.memory === memory);
  if (index < 0) return -1;
  const leaf = at(leaves, index);
  if (array.holding?.offset === leaf.array.holding?.offset && sameShape(array.shape, leaf.shape)) return index;
  throw new FuseError("update: an operand shares a leaf's memory, in another order");
}

/** @throws ShapeError where shapes don't broadcast together, or not to that of the leaves. */
function checkShapes(
  inputs: readonly Variable[],
  nodes: readonly Elementwise[],
  results: readonly Variable[],
  wanted: Shape,
): void {
  const shapes = new Map<Variable, Shape>(inputs.map((input) => [input, realOf(input).shape]));
  const shapeOf = (variable: Variable): Shape => shapes.get(variable) ?? wanted;
  for (const node of nodes) {
    const shape = broadcastShapes(node.inputs.map(shapeOf), node.name);
    for (const output of node.outputs) shapes.set(output, shape);
  }
  if (results.every((result) => sameShape(shapeOf(result), wanted))) return;
  throw new ShapeError("update: a result has another shape than its leaf");
}
