/** What stands for Variables while a function is traced: they have no shape and no numbers yet. */
import { FuseError } from "../../base/errors.js";
import detachWgsl from "../../../shaders/detach.wgsl?raw";
import type { Shape } from "../../base/shape.js";
import { builtin, Elementwise } from "../../elementwise/elementwise.js";
import { GpuArray } from "../../gpu/array.js";
import { currentDevice } from "../../gpu/current.js";
import type { Data } from "../../gpu/data.js";
import { Identity, tracing, type Function } from "../../graph/function.js";
import { gradEnabled, withGrad } from "../../graph/grad-mode.js";
import { type Operand, Variable } from "../../graph/variable.js";

/** Its operand: what detach() is in a fused function. */
const detached = builtin<[x: Operand]>(detachWgsl, (gy) => gy);

/** What a symbol lacks: said of one in the function that is traced, and of one that somebody has kept from there. */
function lacks(what: string, advice: string): FuseError {
  if (tracing.current !== null)
    return new FuseError(`fuse: ${what}, but none is known while the function is traced. ${advice}`);
  return new FuseError(
    "fuse: a Variable of a fused function was used outside of it. It only stood for an operand or a result while the function was " +
      "traced, and has no shape and no numbers: use what the fused function gives, and return from it what is needed outside",
  );
}

class SymbolArray extends GpuArray {
  constructor() {
    super(currentDevice(), [], { kind: "unknown" });
  }

  override get shape(): Shape {
    throw lacks(
      "a shape was asked for, by the function or by one that is not element-wise (a reduction, a reshape)",
      "Only element-wise functions can be fused",
    );
  }

  override get size(): number {
    throw lacks("a size was asked for", "Pass it as an argument");
  }

  override check(): void {
    // A symbol can stand anywhere; what reads it goes through `hold` or `read`.
  }

  override hold(): never {
    throw lacks("the numbers were asked for", "Read what the fused function gives");
  }

  override share(): this {
    return this;
  }

  override read(): never {
    return this.hold();
  }
}

export class SymbolVariable extends Variable {
  constructor(name: string, requiresGrad = true) {
    super(new SymbolArray(), { name, requiresGrad });
  }

  override get grad(): Variable | null {
    return super.grad;
  }

  override set grad(value: Variable | Data | null) {
    if (value !== null && tracing.current !== null) {
      throw new FuseError(
        "fuse: grad can't be set in a fused function, which runs once, to be traced: set that of what the fused function gives",
      );
    }
    super.grad = value;
  }

  override detach(): Variable {
    return withGrad(false, () => detached(this));
  }

  override unchain(): never {
    throw new FuseError(
      "fuse: unchain() can't be part of a fused function: detach() gives the same numbers without a gradient",
    );
  }

  /** Nothing was computed, so there is nothing to give back. */
  override letGo(): void {
    return;
  }

  /** Nor to take back. */
  override undo(): void {
    return;
  }

  override [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.toString();
    throw new FuseError(
      "fuse: a Variable was used as a number, by Math.sin(x), x * 2, x + 1 or x > 0, but it has none while the function is " +
        "traced. Write sin(x), mul(x, 2), where(greater(x, 0), a, b)",
    );
  }

  override toString(): string {
    return `${this.name ?? "a symbol"}, traced by fuse`;
  }
}

/** Runs `f` on symbols: each call of an element-wise function takes its place in their graph, and nothing is computed. */
export function trace<T>(f: () => T): T {
  return withGrad(true, () => tracing.during(recordCall, f));
}

/** Says what takes the place of a Function's outputs. */
function recordCall(f: Function, inputs: readonly Variable[]): SymbolVariable[] {
  if (f instanceof Identity) {
    throw new FuseError(
      "fuse: detach() on a Variable from outside, in the fused function, would keep the numbers of now: detach it before, or " +
        "use it inside of noGrad",
    );
  }
  if (!(f instanceof Elementwise)) {
    throw new FuseError(
      `fuse: ${f.name} can't be fused, since it is not element-wise. Call it outside of the fused function`,
    );
  }
  f.checkCount(inputs.length);
  const requiresGrad = gradEnabled() && f.differentiable && inputs.some((input) => input.requiresGrad);
  return Array.from({ length: f.source.outputs }, () => new SymbolVariable(f.name, requiresGrad));
}
