/** Functions whose gradient is derived from their WGSL, beside the same gradient by hand. */
import type { DerivedCase } from "./protocol.js";

export interface DerivedFunction {
  /** Where each input lies. */
  readonly ranges: readonly (readonly [number, number])[];
  readonly forward: string;
  readonly backward: string;
}

const geluForward = (name: string): string => `fn ${name}_forward(x: f32) -> f32 {
  let u = 0.7978845608 * (x + 0.044715 * x * x * x);
  return 0.5 * x * (1.0 + tanh(u));
}`;

export const derivedFunctions: Readonly<Record<DerivedCase, DerivedFunction>> = {
  swish: {
    ranges: [[-4, 4]],
    forward: "fn swish_forward(x: f32) -> f32 { return x / (1.0 + exp(-x)); }",
    backward: `fn swish_backward(x: f32, gy: f32) -> f32 {
      let s = 1.0 / (1.0 + exp(-x));
      return gy * s * (1.0 + x * (1.0 - s));
    }`,
  },
  gelu: {
    ranges: [[-4, 4]],
    forward: geluForward("gelu"),
    backward: `fn gelu_backward(x: f32, gy: f32) -> f32 {
      let t = tanh(0.7978845608 * (x + 0.044715 * x * x * x));
      let dt = (1.0 - t * t) * 0.7978845608 * (1.0 + 0.134145 * x * x);
      return gy * (0.5 * (1.0 + t) + 0.5 * x * dt);
    }`,
  },
  // By hand with the slope of tanh that keeps its digits where tanh is near 1, as the derived gradient does.
  geluSlope: {
    ranges: [[-4, 4]],
    forward: geluForward("geluSlope"),
    backward: `fn geluSlope_backward(x: f32, gy: f32) -> f32 {
      let u = 0.7978845608 * (x + 0.044715 * x * x * x);
      let dt = math_tanh_slope(u) * 0.7978845608 * (1.0 + 0.134145 * x * x);
      return gy * (0.5 * (1.0 + tanh(u)) + 0.5 * x * dt);
    }`,
  },
  gauss: {
    ranges: [
      [-2, 2],
      [-1, 1],
      [0.5, 2],
    ],
    forward: `fn gauss_forward(x: f32, m: f32, s: f32) -> f32 {
      let z = (x - m) / s;
      return exp(-0.5 * z * z) / (s * 2.5066282746);
    }`,
    backward: `fn gauss_backward(x: f32, m: f32, s: f32, gy: f32) -> vec3f {
      let z = (x - m) / s;
      let g = gy * exp(-0.5 * z * z) / (s * 2.5066282746) / s;
      return vec3f(-g * z, g * z, g * (z * z - 1.0));
    }`,
  },
  huber: {
    ranges: [
      [-3, 3],
      [-3, 3],
    ],
    forward: `fn huber_forward(a: f32, b: f32) -> f32 {
      let r = a - b;
      if (abs(r) < 1.0) { return 0.5 * r * r; }
      return abs(r) - 0.5;
    }`,
    backward: `fn huber_backward(a: f32, b: f32, gy: f32) -> vec2f {
      let g = gy * clamp(a - b, -1.0, 1.0);
      return vec2f(g, -g);
    }`,
  },
  // By hand with the implicit function theorem, at the root that the iteration finds again: x - e sin x - m stays 0.
  kepler: {
    ranges: [
      [0.2, 6],
      [0, 0.7],
    ],
    forward: `fn kepler_forward(m: f32, e: f32) -> f32 {
      var x = m;
      for (var i = 0; i < 8; i++) { x -= (x - e * sin(x) - m) / (1.0 - e * cos(x)); }
      return x;
    }`,
    backward: `fn kepler_backward(m: f32, e: f32, gy: f32) -> vec2f {
      let x = kepler_forward(m, e);
      let g = gy / (1.0 - e * cos(x));
      return vec2f(g, g * sin(x));
    }`,
  },
  // Likewise: x^3 stays a.
  cubeRoot: {
    ranges: [[0.5, 20]],
    forward: `fn cubeRoot_forward(a: f32) -> f32 {
      var x = 1.0 + a * 0.3;
      for (var i = 0; i < 10; i++) { x -= (x * x * x - a) / (3.0 * x * x); }
      return x;
    }`,
    backward: `fn cubeRoot_backward(a: f32, gy: f32) -> f32 {
      let x = cubeRoot_forward(a);
      return gy / (3.0 * x * x);
    }`,
  },
};

export function isDerived(name: string): name is DerivedCase {
  return name in derivedFunctions;
}
