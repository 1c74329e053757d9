import { expect, test } from "vitest";
import { withoutExcerpt } from "../../src/wgsl/compiler-message.js";

test.each([
  ["of one line, as Tint's, stays", "unresolved call target 'f'", "unresolved call target 'f'"],
  [
    "of naga's parser loses the excerpt and what the error says already",
    "\nShader 'mine' parsing error: no definition in scope for identifier: `missing`\n  ┌─ wgsl:4:10\n  │\n" +
      "4 │   y[0] = missing(1.0);\n  │          ^^^^^^^ unknown identifier\n\n",
    "no definition in scope for identifier: `missing`",
  ],
  [
    "of naga's validator keeps the reason",
    "\nShader validation error: Function [0] 'f' is invalid\n  ┌─ lab:1:1\n  │\n1 │ fn f(a: f32) -> f32 { }\n" +
      "  │ ^^^^ naga::ir::Function [0]\n  │\n  = The `return` expression None does not match the declared return type\n\n",
    "Function [0] 'f' is invalid; The `return` expression None does not match the declared return type",
  ],
  [
    "of naga's that lists all types ends after three",
    `\nShader '' parsing error: wrong type\n  ┌─ wgsl:1:49\n  │\n${"  = note: allowed type: vec2<f32>\n".repeat(20)}`,
    "wrong type; note: allowed type: vec2<f32>; note: allowed type: vec2<f32>; note: allowed type: vec2<f32>",
  ],
])("a compiler's message %s", (_what, message, expected) => {
  expect(withoutExcerpt(message)).toBe(expected);
});
