/** Differentiation as a function of functions: `grad(f)` is the function whose value is f's gradient. They nest. */
import { checkFunction, checkList, checkObject } from "../base/arguments.js";
import { at } from "../base/assert.js";
import { ones, propagate } from "../graph/backward.js";
import { sortedByGeneration } from "../graph/walk.js";
import { ArgumentError, FuseError } from "../base/errors.js";
import { Identity, tracing, type Function } from "../graph/function.js";
import { reshape } from "../graph/reshape.js";
import { givingBack } from "../graph/made-here.js";
import { gradEnabled, withGrad } from "../graph/grad-mode.js";
import { GpuArray } from "../gpu/array.js";
import { describe } from "../base/describe.js";
import { checkAxes } from "../base/shape.js";
import { asVariable, withOperands, Variable, type Operand } from "../graph/variable.js";

/** A function of Variables. Where its result has several elements, the gradient is that of their sum. */
export type Differentiable = (...args: Variable[]) => Variable;

/** Which arguments to differentiate by, counted from 0: one gives a Variable, several a list. */
export interface GradOptions<Argnums extends number | readonly number[] = number> {
  /** 0, the first argument, where nothing is said; negative ones count from the end. */
  readonly argnums?: Argnums;
}

/** One gradient, or a list of them in the order of argnums. */
export type Gradient<Argnums> = Argnums extends number ? Variable : Variable[];

/**
 * The gradient of `f` as a function of the same arguments. Arguments may be Variables, numbers or arrays; their `grad`
 * is not touched. The gradient can itself be differentiated where an argument or a Variable that `f` uses from outside
 * needs a gradient, so `grad(grad(f))` is the second derivative. Else what `f` computed on the way is released; keep()
 * in `f` holds what you want of it.
 *
 * @throws ArgumentError where `f` is no function, argnums name no argument, or `f` gives no Variable.
 * @example
 * const slope = grad((x) => x.mul(x).mul(x));
 * await slope(2).item(); // 12
 * await grad(slope)(2).item(); // 12: the second derivative is 6x
 */
export function grad<Argnums extends number | readonly number[] = number>(
  f: Differentiable,
  options: GradOptions<Argnums> = {},
): (...args: Operand[]) => Gradient<Argnums> {
  const both = differentiated(f, options);
  return (...args) => {
    const { value, gradient, alone } = both(args);
    // Nobody gets to see it, and it holds what only the value needed.
    if (alone) value.discard();
    else value.letGo();
    return gradient;
  };
}

/**
 * The same, giving the value and the gradient.
 *
 * @example
 * const [y, dy] = valueAndGrad((x) => x.mul(x))(3); // 9 and 6
 */
export function valueAndGrad<Argnums extends number | readonly number[] = number>(
  f: Differentiable,
  options: GradOptions<Argnums> = {},
): (...args: Operand[]) => [value: Variable, gradient: Gradient<Argnums>] {
  const both = differentiated(f, options);
  return (...args) => {
    const { value, gradient } = both(args);
    return [value, gradient];
  };
}

interface Differentiated<Argnums> {
  readonly value: Variable;
  readonly gradient: Gradient<Argnums>;
  /** Whether the value is a Variable that was made here, without the graph that led to it. */
  readonly alone: boolean;
}

function differentiated<Argnums extends number | readonly number[]>(
  f: Differentiable,
  options: GradOptions<Argnums>,
): (args: readonly Operand[]) => Differentiated<Argnums> {
  checkFunction(f, "what grad differentiates");
  const { argnums: given = 0 } = checkObject(options, "grad's options");
  const argnums = typeof given === "number" ? given : checkList<number>(given, "argnums");
  const run = (variables: readonly Variable[]): Differentiated<Argnums> => {
    const wanted = checkAxes(argnums, variables.length, "argnums, among the arguments");
    const own = variables.map((variable, index) => (wanted.includes(index) ? standIn(variable) : variable));
    const made = GpuArray.made;
    const result: unknown = withGrad(true, () => f(...own));
    if (!(result instanceof Variable)) {
      throw new ArgumentError(`grad's function must give a Variable, not ${describe(result)}`);
    }
    // What was there before is somebody's: the value is another Variable, which goes by itself.
    const isOld = result.numbers.serial <= made && !own.includes(result);
    const value = isOld ? withGrad(true, () => new Identity().call(result)) : result.keepIfTemporary();
    const targets = new Set(wanted.map((index) => at(own, index)));
    const createGraph = gradEnabled() && dependsOnOthers(value, targets);
    const found = value.requiresGrad
      ? propagate(value, ones(value), { createGraph, keep: (variable) => targets.has(variable), targets })
      : new Map<Variable, Variable>();
    // In the order in which argnums names them.
    const order = typeof argnums === "number" ? wanted : argnums.map((k) => (k < 0 ? k + variables.length : k));
    const gradients = order.map((index) => {
      const variable = at(own, index);
      return found.get(variable) ?? asVariable(GpuArray.constant(0, variable.shape, variable.device));
    });
    const gradient = (typeof argnums === "number" ? at(gradients, 0) : gradients) as Gradient<Argnums>;
    const ownGraph = !createGraph && [...targets].some((target) => found.has(target));
    const alone = ownGraph ? withoutGraph(value) : value;
    for (const target of targets) if (target !== alone) target.letGo();
    return { value: alone, gradient, alone: ownGraph };
  };
  return (args) => {
    if (tracing.current !== null) {
      throw new FuseError(
        "fuse: grad(f) and valueAndGrad(f) can't be called in a fused function, which has no shapes while it is traced: fuse what " +
          "is inside, as in grad(fuse(f)), and call that outside of it",
      );
    }
    return givingBack(() => withOperands(args, run));
  };
}

/** The value alone. Nobody outside has the graph that led to it, so nobody else could release it. */
function withoutGraph(value: Variable): Variable {
  const alone = value.detach();
  value.discard();
  return alone;
}

/** Stands for an argument while `f` runs, so that its gradient is that of this argument alone. */
function standIn(variable: Variable): Variable {
  if (variable.requiresGrad && gradEnabled()) return reshape(variable, variable.shape);
  const argument = Variable.of(variable.array.share().copyOnWrite(), true);
  argument.name = variable.name ?? "argument";
  argument.standFor(variable, new Identity());
  return argument;
}

/** Whether a Variable other than the stand-ins (or what a stand-in stands for) could want this value's gradient. */
function dependsOnOthers(value: Variable, standIns: ReadonlySet<Variable>): boolean {
  for (const standIn of standIns) if (standIn.creator !== null) return true;
  const others = (f: Function): boolean =>
    f.inputs.some((input) => input.creator === null && input.requiresGrad && !standIns.has(input));
  return sortedByGeneration([value]).some(others);
}
