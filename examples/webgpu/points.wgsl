// A point of the plane from -1.28 to 1.28, as a white pixel.
@vertex
fn vertex(@location(0) position: vec2f) -> @builtin(position) vec4f {
  return vec4f(position / 1.28, 0.0, 1.0);
}

@fragment
fn fragment() -> @location(0) vec4f {
  return vec4f(1.0);
}
