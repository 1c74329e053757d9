/**
 * Fusion: many element-wise nodes become one. A function is run once with symbols for its arguments, which gives its
 * graph; from that come one WGSL function forward, and one backward that computes the intermediates again in registers.
 * Memory traffic is what element-wise math costs: square(exp(square(x))) moves 6 arrays forward and 8 backward node by
 * node, 2 and 2 fused, when it starts from ones.
 */
import { checkFunction, hasMethod } from "../base/arguments.js";
import { at } from "../base/assert.js";
import { describe, isList } from "../base/describe.js";
import { ArgumentError, FuseError, isGpugradError } from "../base/errors.js";
import { Identity, tracing } from "../graph/function.js";
import { withOperands, Variable, type Operand } from "../graph/variable.js";
import { FusedProgram } from "./fuse/fused-program.js";
import { Program } from "./fuse/program.js";
import { SymbolVariable, trace } from "./fuse/symbol.js";

/** A function of Variables made of element-wise functions, with one result or several. */
export type Fusable<Result extends Variable | readonly Variable[]> = (...args: Variable[]) => Result;

/** The fused function. It takes what the built-in ones take, and gives what the function itself gives. */
export interface FusedFunction<Result extends Variable | readonly Variable[]> {
  (...args: Operand[]): Result;
  /** The WGSL it became: its forward and backward, and the functions they call. */
  readonly wgsl: string;
  /** Compiles ahead, so that a first call doesn't wait. */
  prepare(): Promise<void>;
}

/**
 * Makes one shader forward and one backward of a function that is made of element-wise ones, built-in or a user's own.
 * It is traced at the first call, with symbols: numbers in it become part of the shader, Variables from outside become
 * further inputs that are read at every call. The result equals that of the unfused function; where the compiler
 * contracts operations, within 2 ULP, and has its shape. `x.add(c).sub(c)`, `x.div(y).mul(y)`, `x.mul(0)` and the like are
 * kept as they are written; across three or more functions, as in `x.add(c).add(y).sub(c)`, WGSL lets a compiler compute
 * otherwise. Differentiating it again is fused, too. A large function, or one
 * with more arrays than a shader may bind, becomes several shaders: a loop whose turns are alike compiles once, one with other
 * numbers in each turn again and again, so give such numbers as operands. What is computed inside of `noGrad`, or detached, has
 * no gradient.
 *
 * @throws FuseError, when it is traced, for what can't be fused: a reduction or another function that is not
 * element-wise, a shape or a value that is asked for, a Variable used as a number, an async function.
 * @example
 * const f = fuse((x) => square(exp(square(x))));
 * const [z] = [f(0.5)];
 * await z.item(); // 1.6487212
 */
export function fuse<Result extends Variable | readonly Variable[]>(f: Fusable<Result>): FusedFunction<Result> {
  checkFunction(f, "what fuse traces");
  // One for each number of arguments.
  const traced = new Map<number, Traced>();
  const tracedNow = new Set<number>();
  const tracedWith = (count: number): Traced => {
    let known = traced.get(count);
    if (known === undefined) {
      if (tracedNow.has(count)) throw new FuseError("fuse: the function calls the fused function that is made of it");
      tracedNow.add(count);
      try {
        known = traceFunction(f, count);
      } finally {
        tracedNow.delete(count);
      }
      traced.set(count, known);
    }
    return known;
  };
  const apply = (...args: Operand[]): Result => {
    const { program, isSingle, isComputed } = tracedWith(args.length);
    const outputs = withOperands(args, (inputs) =>
      program.call(inputs).map((output, k) => (at(isComputed, k) ? output : another(output))),
    );
    return (isSingle ? at(outputs, 0) : outputs) as Result;
  };
  const usual = (): FusedProgram => {
    const [first] = traced.values();
    // Rest parameters don't count in a function's length: then it is as it was called first.
    return (f.length === 0 ? (first ?? withoutOperands(() => tracedWith(0))) : tracedWith(f.length)).program;
  };
  return Object.defineProperty(Object.assign(apply, { wgsl: "", prepare: async () => usual().prepare() }), "wgsl", {
    get: () => usual().wgsl,
  });
}

/** @throws ArgumentError, saying so, where `f` misses operands that it was not given. */
function callWith(f: Fusable<Variable | readonly Variable[]>, symbols: readonly Variable[]): unknown {
  try {
    return f(...symbols);
  } catch (error) {
    if (symbols.length >= f.length || (isGpugradError(error) && error.code !== "invalid-argument")) throw error;
    throw new ArgumentError(
      `fuse: the function takes ${f.length} operands and was given ${symbols.length}, so that operand ${symbols.length} is ` +
        `missing: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** @throws ArgumentError, where a function that may have rest parameters fails without operands. */
function withoutOperands(traceIt: () => Traced): Traced {
  try {
    return traceIt();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new ArgumentError(
      "fuse: how many operands the function takes can't be told from its parameters, and without any it fails: call it before " +
        `prepare() or wgsl are asked for, or give its parameters names (${error.message})`,
    );
  }
}

/** What is given back as it came is another Variable, to be disposed on its own. */
function another(variable: Variable): Variable {
  return tracing.current === null ? new Identity().call(variable) : variable;
}

interface Traced {
  readonly program: FusedProgram;
  /** Which of the results aren't operands, or Variables from outside, themselves. */
  readonly isComputed: readonly boolean[];
  /** Whether the function gives one Variable, and not a list of them. */
  readonly isSingle: boolean;
}

function traceFunction(f: Fusable<Variable | readonly Variable[]>, count: number): Traced {
  const symbols = Array.from({ length: count }, (_, k) => new SymbolVariable(`x${k}`));
  const result: unknown = trace(() => callWith(f, symbols));
  const outputs: readonly unknown[] = isList(result) ? result : [result];
  for (const output of outputs) {
    if (output instanceof Variable) continue;
    // What an async function rejects with is the same, and would be reported a second time.
    Promise.resolve(output).catch(() => undefined);
    const isAsync = hasMethod(output, "then");
    throw new FuseError(
      isAsync
        ? "fuse: the function is async, but nothing can be awaited while it is traced"
        : `fuse: the function must give Variables, not ${describe(output)}`,
    );
  }
  if (outputs.length === 0) throw new FuseError("fuse: the function gives no result");
  const { program, captured } = Program.between(symbols, outputs as Variable[]);
  const nodes = new Set<unknown>(program.nodes);
  const isComputed = program.outputs.map(({ creator }) => nodes.has(creator));
  return { program: new FusedProgram(program, captured), isSingle: !isList(result), isComputed };
}
