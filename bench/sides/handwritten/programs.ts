/** The problems as lists of dispatches. Bind groups and buffers are made here, once; a run records and submits. */
import { coefficient, coefficients, learningRate } from "../../problems.js";
import type { GraphCase, Problem } from "../../protocol.js";
import type { Input } from "../../side.js";
import type { Bound, Copy, Dispatch, Gpu } from "./gpu.js";

export interface Program {
  readonly dispatches: readonly Dispatch[];
  /** Copied before the dispatches. */
  readonly copies: readonly Copy[];
  /** Set to zeros before the dispatches. */
  readonly cleared: readonly GPUBuffer[];
  readonly value: { readonly buffer: GPUBuffer; readonly n: number };
  readonly gradient: { readonly buffer: GPUBuffer; readonly n: number };
}

export function programFor(gpu: Gpu, { name, n, depth }: Problem<GraphCase>, { x: values, target }: Input): Program {
  const x = gpu.upload(values);
  const node = (entry: string, bound: Bound): Dispatch => gpu.node(entry, n, bound);
  const array = (): GPUBuffer => gpu.array(n);
  const program = (dispatches: readonly Dispatch[], value: GPUBuffer, gradient: GPUBuffer, size = n): Program => ({
    dispatches,
    copies: [],
    cleared: [],
    value: { buffer: value, n: size },
    gradient: { buffer: gradient, n },
  });
  switch (name) {
    case "chain":
    case "firstGradient":
    case "sum": {
      const [a, b, y, gb, ga] = [array(), array(), array(), array(), array()];
      // The gradient of b isn't needed any more when that of x is written.
      const gx = gb;
      const forward = [
        node("square_forward", { a: x, r: a }),
        node("exp_forward", { a, r: b }),
        node("square_forward", { a: b, r: y }),
      ];
      const backward = [
        node("square_backward_from_ones", { a: b, r: gb }),
        node("exp_backward", { a: b, b: gb, r: ga }),
        node("square_backward", { a: x, b: ga, r: gx }),
      ];
      if (name !== "sum") return program([...forward, ...backward], y, gx);
      const { dispatches, result } = gpu.sum(y, n);
      return program([...forward, ...dispatches, ...backward], result, gx, 1);
    }
    case "fused": {
      const [y, gx] = [array(), array()];
      return program(
        [
          gpu.node("chain_forward", n, { a: x, r: y }, "fused"),
          gpu.node("chain_backward", n, { a: x, r: gx }, "fused"),
        ],
        y,
        gx,
      );
    }
    case "deep": {
      const inputs = [x];
      const dispatches: Dispatch[] = [];
      let y = x;
      for (let k = 0; k < depth; k++) {
        const r = array();
        dispatches.push(node("sin_forward", { a: y, r }));
        inputs.push(r);
        y = r;
      }
      let g = array();
      let spare = array();
      for (let k = depth - 1; k >= 0; k--) {
        const a = inputs[k] ?? x;
        if (k === depth - 1) dispatches.push(node("sin_backward_from_ones", { a, r: g }));
        else {
          dispatches.push(node("sin_backward", { a, b: g, r: spare }));
          [g, spare] = [spare, g];
        }
      }
      return program(dispatches, y, g);
    }
    case "wide": {
      const [y, g] = [array(), array()];
      const constants = new Map(coefficients.map((c) => [c as number, gpu.constant(c)]));
      const steps = new Map<number, { forward: Dispatch; backward: Dispatch }>();
      for (const [value, c] of constants) {
        steps.set(value, {
          forward: node("add_scaled", { a: x, r: y, c }),
          backward: node("add_constant", { r: g, c }),
        });
      }
      const uses = Array.from({ length: depth }, (_, k) => steps.get(coefficient(k)));
      const of = (direction: "forward" | "backward"): Dispatch[] =>
        uses.flatMap((step) => (step === undefined ? [] : [step[direction]]));
      return { ...program([...of("forward"), ...of("backward")], y, g), cleared: [y, g] };
    }
    case "train": {
      const goal = gpu.upload(target);
      const [moving, d, s, g] = [array(), array(), array(), array()];
      const { dispatches, result } = gpu.sum(s, n, 1 / n);
      const step = [
        node("subtract", { a: moving, b: goal, r: d }),
        node("square_forward", { a: d, r: s }),
        ...dispatches,
        node("scale", { a: d, r: g, c: gpu.constant(2 / n) }),
        node("add_scaled", { a: g, r: moving, c: gpu.constant(-learningRate(n)) }),
      ];
      const steps = Array.from({ length: depth }, () => step).flat();
      return { ...program(steps, result, moving, 1), copies: [{ from: x, to: moving }] };
    }
  }
}
