/** Stencils in WGSL, beside the same calculation in float64. */
import type { Calculation } from "../reference/stencils.js";

export interface StencilCase {
  readonly name: string;
  readonly dimensions: number;
  readonly wgsl: string;
  /** Fields by name, with the number of their components; 0 for a number. */
  readonly inputs: Readonly<Record<string, number>>;
  readonly f: Calculation;
}

const zero = (): number => 0;

export const cases: readonly StencilCase[] = [
  {
    name: "a linear one with weights that differ",
    dimensions: 1,
    wgsl: "fn shift_forward(u: field) -> f32 { return 2.0 * u(-5) - 3.0 * u(0) + 0.5 * u(1) - 1.25 * u(3); }",
    inputs: { u: 1 },
    f: ({ u = zero }) => [2 * u(-5) - 3 * u(0) + 0.5 * u(1) - 1.25 * u(3)],
  },
  {
    name: "upwind advection, with a branch on what was read",
    dimensions: 1,
    wgsl: `
      fn upwind_forward(u: field, speed: field, dt: f32) -> f32 {
        let c = speed(0);
        if (c > 0.0) { return u(0) - dt * c * (u(0) - u(-1)); }
        return u(0) - dt * c * (u(1) - u(0));
      }`,
    inputs: { u: 1, speed: 1, dt: 0 },
    f: ({ u = zero, speed = zero, dt = zero }) => {
      const c = speed(0);
      return [u(0) - dt() * c * (c > 0 ? u(0) - u(-1) : u(1) - u(0))];
    },
  },
  {
    name: "diffusion with a conductivity of its own",
    dimensions: 2,
    wgsl: `
      fn heat_forward(u: field, k: field) -> f32 {
        return u(0, 0) + k(0, 0) * (u(1, 0) + u(-1, 0) + u(0, 1) + u(0, -1) - 4.0 * u(0, 0));
      }`,
    inputs: { u: 1, k: 1 },
    f: ({ u = zero, k = zero }) => [u(0, 0) + k(0, 0) * (u(1, 0) + u(-1, 0) + u(0, 1) + u(0, -1) - 4 * u(0, 0))],
  },
  {
    name: "edge-preserving diffusion, whose weights depend on the values",
    dimensions: 2,
    wgsl: `
      fn edges_flow(d: f32, kappa: f32) -> f32 { return d * exp(-(d / kappa) * (d / kappa)); }
      fn edges_forward(u: field, kappa: f32) -> f32 {
        let c = u(0, 0);
        var sum = 0.0;
        sum += edges_flow(u(1, 0) - c, kappa);
        sum += edges_flow(u(-1, 0) - c, kappa);
        sum += edges_flow(u(0, 2) - c, kappa);
        sum += edges_flow(u(0, -1) - c, kappa);
        return c + 0.2 * sum;
      }`,
    inputs: { u: 1, kappa: 0 },
    f: ({ u = zero, kappa = zero }) => {
      const flow = (d: number): number => d * Math.exp(-((d / kappa()) ** 2));
      const c = u(0, 0);
      return [c + 0.2 * (flow(u(1, 0) - c) + flow(u(-1, 0) - c) + flow(u(0, 2) - c) + flow(u(0, -1) - c))];
    },
  },
  {
    name: "a field that is handed on, and another with other offsets",
    dimensions: 2,
    wgsl: `
      const wave_reach = 2;
      fn wave_laplace(v: field) -> f32 { return v(1, 0) + v(-1, 0) + v(0, 1) + v(0, -1) - 4.0 * v(0, 0); }
      fn wave_forward(now: field, before: field, c: f32) -> f32 {
        return 2.0 * now(0, 0) - before(0, 0) + c * c * wave_laplace(now) + 0.125 * sin(before(wave_reach, 1 - wave_reach));
      }`,
    inputs: { now: 1, before: 1, c: 0 },
    f: ({ now = zero, before = zero, c = zero }) => [
      2 * now(0, 0) -
        before(0, 0) +
        c() ** 2 * (now(1, 0) + now(-1, 0) + now(0, 1) + now(0, -1) - 4 * now(0, 0)) +
        0.125 * Math.sin(before(2, -1)),
    ],
  },
  {
    name: "weights that depend on the position",
    dimensions: 2,
    wgsl: `
      fn place_forward(u: field) -> f32 {
        let p = vec2f(position()) / vec2f(extent());
        return p.x * u(0, 0) * u(1, -1) + p.y * u(-1, 0);
      }`,
    inputs: { u: 1 },
    f: ({ u = zero }, [x = 0, y = 0], [m = 1, n = 1]) => [(x / m) * u(0, 0) * u(1, -1) + (y / n) * u(-1, 0)],
  },
  {
    name: "all 27 neighbours, linear",
    dimensions: 3,
    wgsl: `fn blur_forward(u: field) -> f32 { return ${cube()
      .map((offset, k) => `${(k + 1) / 32} * u(${offset.join(", ")})`)
      .join(" + ")}; }`,
    inputs: { u: 1 },
    f: ({ u = zero }) => [cube().reduce((sum, offset, k) => sum + ((k + 1) / 32) * u(...offset), 0)],
  },
  {
    name: "a flux in space, nonlinear",
    dimensions: 3,
    wgsl: `
      fn flux_forward(u: field, k: field) -> f32 {
        let d = vec3f(u(1, 0, 0) - u(-1, 0, 0), u(0, 1, 0) - u(0, -1, 0), u(0, 0, 1) - u(0, 0, -1));
        return k(0, 0, 0) * dot(d, d) / (1.0 + length(d)) + u(0, 0, 2) * k(1, -1, 0);
      }`,
    inputs: { u: 1, k: 1 },
    f: ({ u = zero, k = zero }) => {
      const d = [u(1, 0, 0) - u(-1, 0, 0), u(0, 1, 0) - u(0, -1, 0), u(0, 0, 1) - u(0, 0, -1)];
      const dot = d.reduce((sum, x) => sum + x * x, 0);
      return [(k(0, 0, 0) * dot) / (1 + Math.sqrt(dot)) + u(0, 0, 2) * k(1, -1, 0)];
    },
  },
  {
    name: "a vector moved by a scalar: a vector",
    dimensions: 2,
    wgsl: `
      fn push_forward(v: field<vec2f>, p: field) -> vec2f {
        let gradient = 0.5 * vec2f(p(1, 0) - p(-1, 0), p(0, 1) - p(0, -1));
        return v(0, 0) - gradient * v(0, 1).x + 0.25 * v(-1, 0).yx * v(0, 0);
      }`,
    inputs: { v: 2, p: 1 },
    f: ({ v0 = zero, v1 = zero, p = zero }) => {
      const [gx, gy] = [0.5 * (p(1, 0) - p(-1, 0)), 0.5 * (p(0, 1) - p(0, -1))];
      return [
        v0(0, 0) - gx * v0(0, 1) + 0.25 * v1(-1, 0) * v0(0, 0),
        v1(0, 0) - gy * v0(0, 1) + 0.25 * v0(-1, 0) * v1(0, 0),
      ];
    },
  },
  {
    name: "a vector's divergence: a number",
    dimensions: 3,
    wgsl: `
      fn div_forward(v: field<vec3f>) -> f32 {
        return 0.5 * (v(1, 0, 0).x - v(-1, 0, 0).x + v(0, 1, 0).y - v(0, -1, 0).y + v(0, 0, 1).z * v(0, 0, -1).x);
      }`,
    inputs: { v: 3 },
    f: ({ v0 = zero, v1 = zero, v2 = zero }) => [
      0.5 * (v0(1, 0, 0) - v0(-1, 0, 0) + v1(0, 1, 0) - v1(0, -1, 0) + v2(0, 0, 1) * v0(0, 0, -1)),
    ],
  },
  {
    name: "a number's slope: a vector of four",
    dimensions: 1,
    wgsl: "fn rise_forward(u: field) -> vec4<f32> { return vec4f(u(1), u(0) * u(-1), u(2) - u(0), sin(u(1))); }",
    inputs: { u: 1 },
    f: ({ u = zero }) => [u(1), u(0) * u(-1), u(2) - u(0), Math.sin(u(1))],
  },
];

/** The offsets of a cell and its neighbours in space. */
function cube(): [number, number, number][] {
  const steps = [-1, 0, 1];
  return steps.flatMap((a) => steps.flatMap((b) => steps.map((c): [number, number, number] => [a, b, c])));
}
