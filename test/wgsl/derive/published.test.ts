/** Functions of the kinds that people publish as WGSL: their derived gradients beside reverse mode and differences. */
import { expect, test } from "vitest";
import { parseElementwise } from "../../../src/wgsl/parse-elementwise.js";
import { compareGradient } from "./fuzz/compare.js";
import { Random } from "./fuzz/random.js";

/** By name: the source, whose function is called f, and the range of its inputs. */
const sources: Readonly<Record<string, readonly [wgsl: string, low: number, high: number]>> = {
  "signed distance of a torus": [
    `fn f_torus(p: vec3f, t: vec2f) -> f32 { let q = vec2f(length(p.xz) - t.x, p.y); return length(q) - t.y; }
    fn f_forward(x: f32, y0: f32, z: f32) -> f32 { return f_torus(vec3f(x, y0, z), vec2f(1.0, 0.25)); }`,
    -2,
    2,
  ],
  "signed distance of a rounded box": [
    `fn f_box(p: vec3f, b: vec3f, r: f32) -> f32 {
      let q = abs(p) - b;
      return length(max(q, vec3f())) + min(max(q.x, max(q.y, q.z)), 0.0) - r;
    }
    fn f_forward(x: f32, y0: f32, z: f32, r: f32) -> f32 { return f_box(vec3f(x, y0, z), vec3f(0.5, 0.6, 0.7), r); }`,
    -2,
    2,
  ],
  "smooth union of two spheres": [
    `fn f_smoothMin(a: f32, b: f32, k: f32) -> f32 {
      let h = clamp(0.5 + 0.5 * (b - a) / k, 0.0, 1.0);
      return mix(b, a, h) - k * h * (1.0 - h);
    }
    fn f_forward(x: f32, y0: f32) -> f32 {
      return f_smoothMin(length(vec2f(x, y0)) - 0.5, length(vec2f(x - 0.7, y0 - 0.2)) - 0.4, 0.3);
    }`,
    -1,
    1,
  ],
  "a raymarched sphere": [
    `fn f_scene(p: vec3f) -> f32 { return length(p - vec3f(0.0, 0.0, 3.0)) - 1.0; }
    fn f_forward(u: f32, v: f32) -> f32 {
      let direction = normalize(vec3f(u, v, 1.5));
      var t = 0.0;
      for (var i = 0; i < 24; i++) {
        let d = f_scene(t * direction);
        t += d;
        if (t > 20.0) { break; }
      }
      return t;
    }`,
    -0.3,
    0.3,
  ],
  "hashed value noise": [
    `fn f_hash(p: vec2<i32>) -> f32 {
      var h = u32(p.x * 374761393 + p.y * 668265263);
      h = (h ^ (h >> 13u)) * 1274126177u;
      return f32(h & 0xffffu) / 65535.0;
    }
    fn f_forward(x: f32, y0: f32) -> f32 {
      let p = vec2f(x, y0);
      let i = vec2<i32>(floor(p));
      let w = fract(p);
      let u = w * w * (3.0 - 2.0 * w);
      return mix(mix(f_hash(i), f_hash(i + vec2(1, 0)), u.x), mix(f_hash(i + vec2(0, 1)), f_hash(i + vec2(1, 1)), u.x), u.y);
    }`,
    0,
    6,
  ],
  "fractal noise of sines": [
    `fn f_forward(x: f32, y0: f32) -> f32 {
      var p = vec2f(x, y0);
      var sum = 0.0;
      var amplitude = 0.5;
      let turn = mat2x2f(0.8, 0.6, -0.6, 0.8);
      for (var octave = 0; octave < 5; octave++) {
        sum += amplitude * sin(p.x) * cos(p.y);
        p = 2.03 * (turn * p);
        amplitude *= 0.5;
      }
      return sum;
    }`,
    -2,
    2,
  ],
  "filmic tone mapping": [
    `fn f_forward(x: f32) -> f32 {
      return saturate((x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14));
    }`,
    0.05,
    3,
  ],
  "tone mapping by luminance": [
    `fn f_forward(r: f32, g: f32, b: f32, white: f32) -> f32 {
      let color = vec3f(r, g, b);
      let l = dot(color, vec3f(0.2126, 0.7152, 0.0722));
      let mapped = color * ((1.0 + l / (white * white)) / (1.0 + l));
      return mapped.r + 2.0 * mapped.g + 3.0 * mapped.b;
    }`,
    0.3,
    2,
  ],
  "sRGB from linear": [
    `fn f_forward(x: f32) -> f32 {
      if (x <= 0.0031308) { return 12.92 * x; }
      return 1.055 * pow(x, 1.0 / 2.4) - 0.055;
    }`,
    0,
    0.02,
  ],
  "hue, saturation, value to a color": [
    `fn f_forward(h: f32, s: f32, v: f32) -> f32 {
      let k = abs(fract(vec3f(h) + vec3f(1.0, 2.0 / 3.0, 1.0 / 3.0)) * 6.0 - 3.0);
      let c = v * mix(vec3f(1.0), clamp(k - 1.0, vec3f(0.0), vec3f(1.0)), s);
      return dot(c, vec3f(1.0, 2.0, 4.0));
    }`,
    0.1,
    0.9,
  ],
  "lightness of a color": [
    `const f_e = 216.0 / 24389.0;
    fn f_cubeRoot(t: f32) -> f32 { return select((841.0 / 108.0) * t + 4.0 / 29.0, pow(t, 1.0 / 3.0), t > f_e); }
    fn f_forward(r: f32, g: f32, b: f32) -> f32 {
      let xyz = mat3x3f(0.41, 0.21, 0.02, 0.36, 0.72, 0.12, 0.18, 0.07, 0.95) * vec3f(r, g, b);
      return 116.0 * f_cubeRoot(xyz.y) - 16.0 + 500.0 * (f_cubeRoot(xyz.x / 0.95) - f_cubeRoot(xyz.y));
    }`,
    0.01,
    1,
  ],
  "lighting by microfacets": [
    `fn f_ggx(nh: f32, a: f32) -> f32 { let d = nh * nh * (a * a - 1.0) + 1.0; return a * a / (3.14159265 * d * d); }
    fn f_shadow(n: f32, k: f32) -> f32 { return n / (n * (1.0 - k) + k); }
    fn f_forward(roughness: f32, nl: f32, nv: f32, vh: f32) -> f32 {
      let fresnel = 0.04 + 0.96 * pow(1.0 - vh, 5.0);
      let k = (roughness + 1.0) * (roughness + 1.0) / 8.0;
      return f_ggx(0.5 * (nl + nv), roughness) * f_shadow(nl, k) * f_shadow(nv, k) * fresnel / max(4.0 * nl * nv, 0.001);
    }`,
    0.2,
    0.9,
  ],
  "diffuse and specular light": [
    `struct f_Light { direction: vec3f, power: f32 }
    fn f_forward(x: f32, y0: f32, shine: f32) -> f32 {
      let light = f_Light(normalize(vec3f(0.3, 0.5, 1.0)), 1.7);
      let n = normalize(vec3f(x, y0, 1.0));
      let r = reflect(-light.direction, n);
      let diffuse = max(dot(n, light.direction), 0.0);
      return light.power * (diffuse + pow(max(r.z, 0.0), 4.0 + shine));
    }`,
    -0.8,
    0.8,
  ],
  "a ray bent by glass": [
    `fn f_forward(x: f32, y0: f32, index: f32) -> f32 {
      let n = normalize(vec3f(x, y0, -1.0));
      let bent = refract(vec3f(0.0, 0.0, 1.0), n, 0.6 + 0.2 * index);
      return bent.x + 2.0 * bent.y + 0.5 * bent.z;
    }`,
    -0.7,
    0.7,
  ],
  "a damped spring, by Verlet's method": [
    `struct f_State { x: f32, v: f32 }
    fn f_force(s: f_State, k: f32, damping: f32) -> f32 { return -k * s.x - damping * s.v; }
    fn f_forward(x: f32, v: f32, k: f32, damping: f32) -> f32 {
      var s = f_State(x, v);
      let dt = 0.05;
      for (var i = 0u; i < 40u; i += 1u) {
        let half = s.v + 0.5 * dt * f_force(s, k, damping);
        s.x += dt * half;
        s.v = half + 0.5 * dt * f_force(f_State(s.x, half), k, damping);
      }
      return s.x;
    }`,
    0.2,
    2,
  ],
  "a pendulum, by Runge and Kutta's method": [
    `fn f_slope(s: vec2f) -> vec2f { return vec2f(s.y, -9.81 * sin(s.x)); }
    fn f_forward(angle: f32, speed: f32) -> f32 {
      var s = vec2f(angle, speed);
      let h = 0.02;
      var i = 0;
      while (i < 20) {
        let a = f_slope(s);
        let b = f_slope(s + 0.5 * h * a);
        let c = f_slope(s + 0.5 * h * b);
        let d = f_slope(s + h * c);
        s += h / 6.0 * (a + 2.0 * b + 2.0 * c + d);
        i++;
      }
      return s.x;
    }`,
    -1,
    1,
  ],
  "a ball that bounces": [
    `fn f_forward(height: f32, bounce: f32) -> f32 {
      var y0 = height;
      var v = 0.0;
      for (var i = 0; i < 60; i++) {
        v -= 9.81 * 0.01;
        y0 += v * 0.01;
        if (y0 < 0.0) { y0 = -y0; v = -bounce * v; }
      }
      return y0;
    }`,
    0.5,
    0.9,
  ],
  "the escape of a point, smoothed": [
    `fn f_forward(cx: f32, cy: f32) -> f32 {
      var z = vec2f();
      let c = vec2f(cx, cy);
      for (var i = 0; i < 12; i++) {
        z = vec2f(z.x * z.x - z.y * z.y, 2.0 * z.x * z.y) + c;
        if (dot(z, z) > 256.0) { return f32(i) - log2(log2(dot(z, z))); }
      }
      return dot(z, z);
    }`,
    0.5,
    1.2,
  ],
  "a quaternion's turn": [
    `fn f_turn(q: vec4f, v: vec3f) -> vec3f { let t = 2.0 * cross(q.xyz, v); return v + q.w * t + cross(q.xyz, t); }
    fn f_forward(angle: f32, x: f32, y0: f32, z: f32) -> f32 {
      let axis = normalize(vec3f(1.0, 2.0, 3.0));
      let q = vec4f(sin(0.5 * angle) * axis, cos(0.5 * angle));
      return dot(f_turn(q, vec3f(x, y0, z)), vec3f(1.0, -1.0, 0.5));
    }`,
    -2,
    2,
  ],
  "a spline through points": [
    `fn f_forward(t: f32, bend: f32) -> f32 {
      var points = array<f32, 6>(0.0, 1.0, 0.5, bend, 2.0, 1.5);
      let k = clamp(i32(floor(t)), 0, 2);
      let u = t - f32(k);
      let a = points[k];
      let b = points[k + 1];
      let c = points[k + 2];
      let d = points[k + 3];
      return 0.5 * ((2.0 * b) + (c - a) * u + (2.0 * a - 5.0 * b + 4.0 * c - d) * u * u + (3.0 * b - a - 3.0 * c + d) * u * u * u);
    }`,
    0.1,
    2.8,
  ],
  "the price of an option": [
    `fn f_normal(x: f32) -> f32 { return 0.5 * (1.0 + math_erf(x * 0.7071067811865476)); }
    fn f_forward(spot: f32, strike: f32, volatility: f32, time: f32) -> f32 {
      let width = volatility * sqrt(time);
      let d = (log(spot / strike) + 0.5 * width * width) / width;
      return spot * f_normal(d) - strike * f_normal(d - width);
    }`,
    0.5,
    1.5,
  ],
  "elevation from a heightfield of waves": [
    `fn f_wave(p: vec2f, angle: f32, frequency: f32, phase: f32) -> f32 {
      let direction = vec2f(cos(angle), sin(angle));
      return exp(sin(dot(direction, p) * frequency + phase) - 1.0);
    }
    fn f_forward(x: f32, y0: f32, time: f32) -> f32 {
      var sum = 0.0;
      var weight = 1.0;
      var weights = 0.0;
      var frequency = 1.0;
      var p = vec2f(x, y0);
      loop {
        let h = f_wave(p, 1.3 * frequency, frequency, time);
        sum += h * weight;
        p.x += 0.1 * h;
        weights += weight;
        weight *= 0.8;
        continuing {
          frequency *= 1.18;
          break if frequency > 3.0;
        }
      }
      return sum / weights;
    }`,
    -2,
    2,
  ],
};

test.each(Object.entries(sources))("%s", (_, [wgsl, low, high]) => {
  const { derived, inputs } = parseElementwise(wgsl);
  if (derived === null) throw new Error("there should be a derived gradient");
  expect(parseElementwise(`${wgsl}\n${derived.wgsl}`).derived).toBeNull();
  const random = new Random(7);
  let slopes = 0;
  let kinks = 0;
  for (let point = 0; point < 12; point++) {
    const xs = inputs.map(() => low + (high - low) * random.next());
    const found = compareGradient(wgsl, derived.wgsl, "f", xs);
    expect(found.mistake).toBeNull();
    slopes += found.derived.filter((value) => value !== 0).length;
    kinks += found.kinks;
  }
  expect(slopes).toBeGreaterThan(0);
  expect(kinks).toBeLessThan(2 * inputs.length);
});
