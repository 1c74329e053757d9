// The result of a function where all that it depends on is finite (explained is 0 there), else 0.
fn unexplained_forward(result: f32, explained: f32) -> f32 {
  return select(result, 0.0, explained > 0.0);
}
