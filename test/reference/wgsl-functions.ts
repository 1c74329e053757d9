/**
 * Functions such as people write in WGSL, with loops, branches, vectors and native functions, and their gradients,
 * derived by hand: NAME_slope is the change along a direction e of the inputs. In each gradient `gy *` stands once, so that
 * a test can plant an error.
 */
import type { Range } from "./numbers.js";

export interface WgslFunction {
  readonly ranges: readonly Range[];
  readonly wgsl: string;
}

export const wgslFunctions: Readonly<Record<string, WgslFunction>> = {
  swish: {
    ranges: [[-4, 4]],
    wgsl: `
      fn swish_forward(x: f32) -> f32 { return x / (1.0 + exp(-x)); }
      fn swish_backward(x: f32, gy: f32) -> f32 {
        let s = 1.0 / (1.0 + exp(-x));
        return gy * s * (1.0 + x * (1.0 - s));
      }`,
  },
  gelu: {
    ranges: [[-4, 4]],
    wgsl: `
      fn gelu_forward(x: f32) -> f32 {
        let u = 0.7978845608 * (x + 0.044715 * x * x * x);
        return 0.5 * x * (1.0 + math_tanh(u));
      }
      fn gelu_backward(x: f32, gy: f32) -> f32 {
        let t = math_tanh(0.7978845608 * (x + 0.044715 * x * x * x));
        return gy * (0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * 0.7978845608 * (1.0 + 0.134145 * x * x));
      }`,
  },
  gauss: {
    ranges: [
      [-2, 2],
      [-1, 1],
      [0.5, 2],
    ],
    wgsl: `
      fn gauss_forward(x: f32, m: f32, s: f32) -> f32 {
        let z = (x - m) / s;
        return exp(-0.5 * z * z) / (s * 2.5066282746);
      }
      fn gauss_backward(x: f32, m: f32, s: f32, gy: f32) -> vec3f {
        let z = (x - m) / s;
        let y = exp(-0.5 * z * z) / (s * 2.5066282746);
        return gy * y / s * vec3f(-z, z, z * z - 1.0);
      }`,
  },
  huber: {
    ranges: [
      [-3, 3],
      [-3, 3],
    ],
    wgsl: `
      fn huber_forward(a: f32, b: f32) -> f32 {
        let r = a - b;
        if (abs(r) < 1.0) { return 0.5 * r * r; }
        return abs(r) - 0.5;
      }
      fn huber_backward(a: f32, b: f32, gy: f32) -> vec2f { return gy * clamp(a - b, -1.0, 1.0) * vec2f(1.0, -1.0); }`,
  },
  mandel: {
    ranges: [
      [-1.2, 0.4],
      [-0.9, 0.9],
    ],
    // z is analytic in c = (cx, cy): its derivative is one complex number w, along cx; i w is that along cy.
    wgsl: `
      fn mandel_times(a: vec2f, b: vec2f) -> vec2f { return vec2f(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x); }
      fn mandel_forward(cx: f32, cy: f32) -> f32 {
        var z = vec2f(0.0, 0.0);
        var total = 0.0;
        for (var i = 0; i < 12; i++) {
          z = mandel_times(z, z) + vec2f(cx, cy);
          let r = dot(z, z);
          if (r > 16.0) { break; }
          total += r / (1.0 + r);
        }
        return total;
      }
      fn mandel_backward(cx: f32, cy: f32, gy: f32) -> vec2f {
        var z = vec2f(0.0, 0.0);
        var w = vec2f(0.0, 0.0);
        var slopes = vec2f(0.0, 0.0);
        for (var i = 0; i < 12; i++) {
          w = 2.0 * mandel_times(z, w) + vec2f(1.0, 0.0);
          z = mandel_times(z, z) + vec2f(cx, cy);
          let r = dot(z, z);
          if (r > 16.0) { break; }
          slopes += 2.0 * vec2f(dot(z, w), dot(z, vec2f(-w.y, w.x))) / ((1.0 + r) * (1.0 + r));
        }
        return gy * slopes;
      }`,
  },
  kepler: {
    ranges: [
      [0.2, 6],
      [0, 0.8],
    ],
    wgsl: `
      fn kepler_solve(m: f32, e: f32) -> f32 {
        var x = m;
        for (var i = 0; i < 8; i++) { x = x - (x - e * sin(x) - m) / (1.0 - e * cos(x)); }
        return x;
      }
      fn kepler_forward(m: f32, e: f32) -> f32 { return kepler_solve(m, e); }
      fn kepler_backward(m: f32, e: f32, gy: f32) -> vec2f {
        let x = kepler_solve(m, e);
        return gy * vec2f(1.0, sin(x)) / (1.0 - e * cos(x));
      }`,
  },
  cbrt: {
    ranges: [[0.5, 20]],
    wgsl: `
      fn cbrt_solve(a: f32) -> f32 {
        var x = 1.0 + a * 0.3;
        for (var i = 0; i < 10; i++) { x -= (x * x * x - a) / (3.0 * x * x); }
        return x;
      }
      fn cbrt_forward(a: f32) -> f32 { return cbrt_solve(a); }
      fn cbrt_backward(a: f32, gy: f32) -> f32 {
        let x = cbrt_solve(a);
        return gy * (1.0 / (3.0 * x * x));
      }`,
  },
  march: {
    ranges: [
      [-0.45, 0.45],
      [-0.45, 0.45],
      [0.4, 0.6],
    ],
    wgsl: `
      const march_eye = vec3f(0.0, 0.0, -3.0);
      const march_light = vec3f(0.3, 0.5, -0.8);
      fn march_forward(px: f32, py: f32, r: f32) -> f32 {
        let d = normalize(vec3f(px * 0.3, py * 0.3, 1.0));
        var t = 0.0;
        for (var i = 0; i < 64; i++) {
          let s = length(march_eye + t * d) - r;
          if (s < 1e-6 || t > 10.0) { break; }
          t += s;
        }
        return max(dot(normalize(march_eye + t * d), march_light), 0.0);
      }
      fn march_slope(px: f32, py: f32, r: f32, e: vec3f) -> f32 {
        let q = vec3f(px * 0.3, py * 0.3, 1.0);
        let dq = vec3f(e.xy * 0.3, 0.0);
        let d = normalize(q);
        let dd = (dq - d * dot(d, dq)) / length(q);
        var t = 0.0;
        var dt = 0.0;
        for (var i = 0; i < 64; i++) {
          let p = march_eye + t * d;
          let s = length(p) - r;
          if (s < 1e-6 || t > 10.0) { break; }
          dt += dot(p, t * dd + dt * d) / length(p) - e.z;
          t += s;
        }
        let p = march_eye + t * d;
        let n = normalize(p);
        let dp = t * dd + dt * d;
        let dn = (dp - n * dot(n, dp)) / length(p);
        return select(0.0, dot(dn, march_light), dot(n, march_light) > 0.0);
      }
      fn march_backward(px: f32, py: f32, r: f32, gy: f32) -> vec3f {
        return gy * vec3f(
          march_slope(px, py, r, vec3f(1.0, 0.0, 0.0)),
          march_slope(px, py, r, vec3f(0.0, 1.0, 0.0)),
          march_slope(px, py, r, vec3f(0.0, 0.0, 1.0)),
        );
      }`,
  },
  light: {
    ranges: [
      [-1, 1],
      [-1, 1],
      [0.2, 1],
      [1, 8],
    ],
    wgsl: `
      fn light_forward(px: f32, py: f32, pz: f32, k: f32) -> f32 {
        let n = normalize(vec3f(px, py, pz));
        let l = normalize(vec3f(0.4, 0.7, 1.0));
        let r = reflect(-l, n);
        let diffuse = max(dot(n, l), 0.0);
        let specular = pow(clamp(r.z, 0.01, 1.0), k);
        return mix(diffuse, specular, 0.3) + smoothstep(0.0, 1.0, px) * n.zyx.x;
      }
      fn light_slope(p: vec3f, k: f32, e: vec4f) -> f32 {
        let n = normalize(p);
        let dn = (e.xyz - n * dot(n, e.xyz)) / length(p);
        let l = normalize(vec3f(0.4, 0.7, 1.0));
        let r = reflect(-l, n);
        let dr = 2.0 * (dot(dn, l) * n + dot(n, l) * dn);
        let d_diffuse = select(0.0, dot(dn, l), dot(n, l) > 0.0);
        let z = clamp(r.z, 0.01, 1.0);
        let dz = select(0.0, dr.z, r.z == z);
        let d_specular = pow(z, k) * (k * dz / z + log(z) * e.w);
        let u = clamp(p.x, 0.0, 1.0);
        return 0.7 * d_diffuse + 0.3 * d_specular + 6.0 * u * (1.0 - u) * e.x * n.z + u * u * (3.0 - 2.0 * u) * dn.z;
      }
      fn light_backward(px: f32, py: f32, pz: f32, k: f32, gy: f32) -> vec4f {
        let p = vec3f(px, py, pz);
        return gy * vec4f(
          light_slope(p, k, vec4f(1.0, 0.0, 0.0, 0.0)),
          light_slope(p, k, vec4f(0.0, 1.0, 0.0, 0.0)),
          light_slope(p, k, vec4f(0.0, 0.0, 1.0, 0.0)),
          light_slope(p, k, vec4f(0.0, 0.0, 0.0, 1.0)),
        );
      }`,
  },
  swizzle: {
    ranges: [
      [-2, 2],
      [-2, 2],
      [-2, 2],
    ],
    wgsl: `
      fn swizzle_forward(a: f32, b: f32, c: f32) -> f32 {
        var v = vec4f(a, vec2f(b, c), 1.0);
        v.x += v.w * b;
        v[1] = math_sin(v.z) * v.x;
        let w = v.wzyx * vec4f(a) + v.xxyy;
        let q = cross(w.xyz, v.yzw) / (2.0 + abs(c));
        return dot(q, q.yxz) + length(w.xy) + distance(v.xy, w.zw);
      }
      fn swizzle_slope(a: f32, b: f32, c: f32, e: vec3f) -> f32 {
        let v = vec4f(a + b, math_sin(c) * (a + b), c, 1.0);
        let dv = vec4f(e.x + e.y, math_cos(c) * e.z * (a + b) + math_sin(c) * (e.x + e.y), e.z, 0.0);
        let w = v.wzyx * a + v.xxyy;
        let dw = dv.wzyx * a + v.wzyx * e.x + dv.xxyy;
        let k = 2.0 + abs(c);
        let q = cross(w.xyz, v.yzw) / k;
        let dq = (cross(dw.xyz, v.yzw) + cross(w.xyz, dv.yzw)) / k - q * sign(c) * e.z / k;
        let u = v.xy - w.zw;
        let du = dv.xy - dw.zw;
        return dot(dq, q.yxz) + dot(q, dq.yxz) + dot(w.xy, dw.xy) / length(w.xy) + dot(u, du) / length(u);
      }
      fn swizzle_backward(a: f32, b: f32, c: f32, gy: f32) -> vec3f {
        return gy * vec3f(
          swizzle_slope(a, b, c, vec3f(1.0, 0.0, 0.0)),
          swizzle_slope(a, b, c, vec3f(0.0, 1.0, 0.0)),
          swizzle_slope(a, b, c, vec3f(0.0, 0.0, 1.0)),
        );
      }`,
  },
  shadow: {
    ranges: [
      [-2, 2],
      [-2, 2],
    ],
    wgsl: `
      fn shadow_forward(x: f32, t: f32) -> f32 {
        let d_x = x * t;
        var y = d_x;
        { let x = math_sin(y) * 1.5; y = y * x; { let x = x * 2.0; y += x; } }
        if (y > 0.0) { let t = y * y; y = t + x; } else if (y < -1.0) { y = -y; y *= t; } else { y = exp(y) * x; }
        return y * x;
      }
      fn shadow_slope(x: f32, t: f32, e: vec2f) -> f32 {
        let d_xt = e.x * t + x * e.y;
        let m = 1.5 * math_sin(x * t);
        let dm = 1.5 * math_cos(x * t) * d_xt;
        let y = x * t * m + 2.0 * m;
        let dy = d_xt * m + x * t * dm + 2.0 * dm;
        if (y > 0.0) { return (2.0 * y * dy + e.x) * x + (y * y + x) * e.x; }
        if (y < -1.0) { return -(dy * t + y * e.y) * x - y * t * e.x; }
        return exp(y) * (dy * x + e.x) * x + exp(y) * x * e.x;
      }
      fn shadow_backward(x: f32, t: f32, gy: f32) -> vec2f {
        return gy * vec2f(shadow_slope(x, t, vec2f(1.0, 0.0)), shadow_slope(x, t, vec2f(0.0, 1.0)));
      }`,
  },
  safe: {
    ranges: [[-2, 2]],
    wgsl: `
      fn safe_forward(x: f32) -> f32 {
        return select(0.0, sqrt(x) + log(x) * 0.1, x > 0.0) + select(x, x * x, x < -1.0);
      }
      fn safe_backward(x: f32, gy: f32) -> f32 {
        var g = 1.0;
        if (x < -1.0) { g = 2.0 * x; }
        if (x > 0.0) { g += 0.5 / sqrt(x) + 0.1 / x; }
        return gy * g;
      }`,
  },
};
