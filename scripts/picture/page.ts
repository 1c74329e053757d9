/** What README.md's picture shows: planets at equal times, by Kepler's equation, and how they move, by its gradients. */
import { elementwise, init, Variable } from "../../src/index.js";

export interface Orbit {
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** The change of each by the mean anomaly, which is the time in radians of one turn. */
  readonly dx: Float32Array;
  readonly dy: Float32Array;
  /** Turns in the time that a planet at distance 1 takes for one: Kepler's third law. */
  readonly turns: number;
}

/** Semi-major axis, eccentricity, where the perihelion is in radians, and how many times. */
const orbits = [
  [0.6, 0.1, 0.4, 14],
  [1.1, 0.35, 2.4, 20],
  [1.75, 0.5, 3.7, 28],
  [3.1, 0.65, Math.PI, 40],
] as const;

/** The eccentric anomaly of the mean anomaly m: README.md's example. */
const kepler = elementwise(`
  fn kepler_forward(m: f32, e: f32) -> f32 {
    var x = m;
    for (var i = 0; i < 8; i++) {
      x -= (x - e * math_sin(x) - m) / (1.0 - e * math_cos(x));
    }
    return x;
  }
`);

export async function compute(): Promise<Orbit[]> {
  await init();
  const found: Orbit[] = [];
  for (const [axis, e, perihelion, times] of orbits) found.push(await computeOne(axis, e, perihelion, times));
  return found;
}

async function computeOne(axis: number, e: number, perihelion: number, times: number): Promise<Orbit> {
  const m = new Variable(Float32Array.from({ length: times }, (_, k) => (2 * Math.PI * k) / times - Math.PI));
  const anomaly = kepler(m, e);
  const along = anomaly.cos().sub(e).mul(axis);
  const across = anomaly.sin().mul(axis * Math.sqrt(1 - e * e));
  const [c, s] = [Math.cos(perihelion), Math.sin(perihelion)];
  const x = along.mul(c).sub(across.mul(s));
  const y = along.mul(s).add(across.mul(c));
  return {
    x: await x.read(),
    y: await y.read(),
    dx: await slopeOf(x, m),
    dy: await slopeOf(y, m),
    turns: axis ** -1.5,
  };
}

async function slopeOf(y: Variable, m: Variable): Promise<Float32Array> {
  m.clearGrad();
  y.backward();
  return (await m.grad?.read()) ?? new Float32Array();
}
