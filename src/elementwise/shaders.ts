/** From a function's WGSL to its shaders, made when they are needed: for each way operands are read, and what is written. */
import addWgsl from "../../shaders/add.wgsl?raw";
import { at } from "../base/assert.js";
import { sizeOf, type Shape } from "../base/shape.js";
import { GpuArray } from "../gpu/array.js";
import { currentDevice } from "../gpu/current.js";
import { Shader } from "../gpu/shader.js";
import { harness, isBound, workgroupSize, type Call, type LoadKind } from "../wgsl/harness.js";
import { keyOf } from "../wgsl/strides.js";
import { argumentOf, callOf, librarySource, type BackwardArgument, type ElementwiseSource } from "../wgsl/source.js";
import { collected, inGroups } from "./groups.js";
import {
  broadcastOperand,
  launchOn,
  loadKindOf,
  mustBeOrdered,
  read,
  withOrdered,
  type Reading,
  type StridedOperand,
} from "./operands.js";

/** What is known of a function beyond its text. */
export interface Traits {
  /** Whose WGSL it is. The library's own is known to compile. */
  readonly origin: "library" | "scalar";
  /** The inputs, by index, whose gradient is the output's as it is: no shader writes it. */
  readonly identityGradients?: readonly number[];
  /** The inputs, by index, that get no gradient. */
  readonly withoutGradient?: readonly number[];
  /** Whether its backward, as it is written, makes 0 of a gradient that is 0, whatever the operands are. */
  readonly keepsZero?: boolean;
  /** The same of its derivative; as keepsZero where it isn't said. */
  readonly derivativeKeepsZero?: boolean;
}

export class ElementwiseShaders {
  readonly #source: ElementwiseSource;
  readonly traits: Traits;
  readonly #shaders = new Map<string, Shader>();
  #backwardArguments: readonly BackwardArgument[] | undefined;

  constructor(source: ElementwiseSource, traits: Traits) {
    this.#source = source;
    this.traits = traits;
  }

  /** What the backward's parameters stand for; null where there is no backward. */
  get backwardArguments(): readonly BackwardArgument[] | null {
    const { backward, inputs } = this.#source;
    this.#backwardArguments ??= backward?.map((parameter) => argumentOf(parameter, inputs));
    return this.#backwardArguments ?? null;
  }

  /** The outputs, all of this shape. Where every element comes out the same, one of them is computed. */
  runForward(operands: readonly StridedOperand[], shape: Shape): GpuArray[] {
    if (mustBeOrdered(operands, shape)) {
      return withOrdered(operands, shape, (ordered) => this.runForward(ordered, shape));
    }
    const written = isUniform(operands, shape) ? one : shape;
    const loads = operands.map((operand) => loadKindOf(operand, written));
    const inputs = loads.filter(isBound).length;
    const reading = read(operands, loads, written, this.#source.name);
    const arrays = collected(
      inGroups(indices(this.#source.outputs), (group) => inputs + group.length),
      (group) => launchOn(this.forward(reading, group), operands, reading, written, group.length),
    );
    return written === shape ? arrays : repeated(arrays, shape);
  }

  /**
   * The gradients of the `wanted` inputs, by index, all of this shape. As many dispatches as it takes: a device binds 8
   * arrays at once, or a few more.
   */
  runBackward(operands: readonly StridedOperand[], shape: Shape, wanted: readonly number[]): GpuArray[] {
    if (mustBeOrdered(operands, shape)) {
      return withOrdered(operands, shape, (ordered) => this.runBackward(ordered, shape, wanted));
    }
    const written = isUniform(operands, shape) ? one : shape;
    const gradients: GpuArray[] = [];
    try {
      const [first = [], ...others] = this.#passesOf(this.#backwardLoads(operands, written));
      gradients.push(...this.#gradients(first, operands, written, wanted));
      for (const loads of others) {
        addTo(gradients, this.#gradients(loads, operands, written, wanted), written);
      }
    } catch (error) {
      for (const gradient of gradients) gradient.release();
      throw error;
    }
    return written === shape ? gradients : repeated(gradients, shape);
  }

  #gradients(
    loads: readonly LoadKind[],
    operands: readonly StridedOperand[],
    written: Shape,
    wanted: readonly number[],
  ): GpuArray[] {
    return collected(this.#groupsOf(loads, wanted), (group) => {
      const reading = read(operands, this.#needed(loads, group), written, this.#source.name);
      return launchOn(this.backward(reading, group), operands, reading, written, group.length);
    });
  }

  /**
   * How the operands are read: once, or where the gradients of several outputs are more arrays than a shader of the device may
   * bind, several times, each with some of them. The results are then added.
   */
  #passesOf(loads: readonly LoadKind[]): readonly (readonly LoadKind[])[] {
    if (this.#source.packed === null) return [loads];
    const arriving = indices(loads.length).filter((k) => this.#isGradient(k) && isBound(at(loads, k)));
    const rest = loads.filter(isBound).length - arriving.length;
    return inGroups(arriving, (group) => rest + 1 + group.length).map((group, pass) =>
      loads.map((load, k) => {
        if (!this.#isGradient(k) || group.includes(k)) return load;
        // Numbers count once.
        return pass === 0 && !arriving.includes(k) ? load : "unread";
      }),
    );
  }

  #backwardLoads(operands: readonly StridedOperand[], shape: Shape): readonly LoadKind[] {
    const isPacked = this.#source.packed !== null;
    return operands.map((operand, k) => {
      // As unused outputs have: it needs no binding.
      const isZero = isPacked && operand.array.constant === 0 && this.#isGradient(k);
      return isZero ? "unread" : loadKindOf(operand, shape);
    });
  }

  #isGradient(k: number): boolean {
    return this.backwardArguments?.[k]?.to === "gradient";
  }

  /** @param outputs those that are written, by index */
  forward(reading: Reading, outputs: readonly number[] = indices(this.#source.outputs)): Shader {
    const source = this.#source;
    return this.#shader(outputs.join(), "forward", source.inputs, reading, {
      text: (values) => callOf(source, "forward", values),
      type: "f32",
      written: source.outputs === 1 ? null : outputs,
      zeroWith: [],
    });
  }

  /** The forward of whole arrays of one shape. */
  whole(): Shader {
    return this.forward(inTurn(this.#source.inputs.map(() => "full")));
  }

  /** @param wanted the inputs that need a gradient, by index */
  backward(reading: Reading, wanted: readonly number[]): Shader {
    const source = this.#source;
    const { inputs, backward, gradientType } = source;
    const gradients = (backward ?? []).filter((parameter) => argumentOf(parameter, inputs).to === "gradient");
    return this.#shader(wanted.join(), "backward", backward ?? [], reading, {
      text: (values) => callOf(source, "backward", values),
      type: gradientType,
      written: inputs.length === 1 ? null : wanted,
      zeroWith: this.traits.keepsZero === true ? [] : gradients,
    });
  }

  /** Compiles what a graph of whole arrays needs, from ones, from a sum's gradient and from another one. */
  async prepare(): Promise<void> {
    const { inputs, outputs, backward } = this.#source;
    const whole = inputs.map((): LoadKind => "full");
    const shaders = inGroups(indices(outputs), (group) => inputs.length + group.length).map((group) =>
      this.forward(inTurn(whole), group),
    );
    if (backward !== null && inputs.length > 0) {
      for (const gy of ["full", "one", "scalar"] as const) {
        const loads = backward.map((parameter) => (parameter.startsWith("gy") ? gy : "full"));
        for (const pass of this.#passesOf(loads)) {
          for (const group of this.#groupsOf(pass, indices(inputs.length))) {
            shaders.push(this.backward(inTurn(this.#needed(pass, group)), group));
          }
        }
      }
    }
    const device = currentDevice();
    await Promise.all(shaders.map((shader) => shader.prepare(device)));
  }

  /** The wanted gradients in groups, each of which needs no more arrays than a shader of the device may bind. */
  #groupsOf(loads: readonly LoadKind[], wanted: readonly number[]): readonly (readonly number[])[] {
    return inGroups(wanted, (group) => this.#needed(loads, group).filter(isBound).length + group.length);
  }

  /** The loads without those that these gradients don't depend on. */
  #needed(loads: readonly LoadKind[], group: readonly number[]): readonly LoadKind[] {
    const { gradientReads, backward } = this.#source;
    if (gradientReads === null || backward === null) return loads;
    return loads.map((load, k) => {
      const parameter = at(backward, k);
      return group.some((index) => at(gradientReads, index).has(parameter)) ? load : "unread";
    });
  }

  #shader(
    key: string,
    direction: "forward" | "backward",
    names: readonly string[],
    { loads, walk }: Reading,
    call: Omit<Call, "parameters" | "walk">,
  ): Shader {
    const { name } = this.#source;
    const id = `${direction};${key};${loads.join()};${keyOf(walk)}`;
    let shader = this.#shaders.get(id);
    if (shader === undefined) {
      const parameters = names.map((name, index) => ({ name, load: at(loads, index) }));
      const fromOnes = parameters.every(({ name, load }) => load === "one" || !/^gy\d*$/.test(name));
      const text = this.#source.textFor(direction, fromOnes);
      const { wgsl, bindings, sourceLine } = harness(text, { ...call, parameters, walk });
      shader = new Shader(`${name}_${direction}`, wgsl, bindings, workgroupSize, {
        origin: this.traits.origin,
        padded: true,
        windows: walk === null,
        firstLine: sourceLine,
        role: { name, direction },
      });
      this.#shaders.set(id, shader);
    }
    return shader;
  }
}

const one: Shape = Object.freeze([1]);

/** Without anything to walk through. */
function inTurn(loads: readonly LoadKind[]): Reading {
  return { loads, walk: null, words: null };
}

/** Whether every element of the result comes out the same. */
function isUniform(operands: readonly StridedOperand[], shape: Shape): boolean {
  return sizeOf(shape) > 1 && operands.every(({ array }) => array.constant !== null || array.element !== null);
}

/** Gradients and what is added to them, which are then the sums. All of them are released, or in the list. */
function addTo(gradients: GpuArray[], others: readonly GpuArray[], shape: Shape): void {
  adder ??= new ElementwiseShaders(librarySource(addWgsl), { origin: "library" });
  try {
    for (const [k, other] of others.entries()) {
      const before = at(gradients, k);
      const operands = [before, other].map((array) => broadcastOperand(array, shape));
      gradients[k] = at(adder.runForward(operands, shape), 0);
      before.release();
    }
  } finally {
    for (const other of others) other.release();
  }
}

let adder: ElementwiseShaders | null = null;

function repeated(elements: readonly GpuArray[], shape: Shape): GpuArray[] {
  return elements.map((element) => {
    const array = GpuArray.repeat(element, shape);
    element.release();
    return array;
  });
}

function indices(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
