/** README's own Function, made of the library's. */
import { Function, square, type GpuArray, type Variable } from "../../src/index.js";

export class Cube extends Function {
  override forward(x: GpuArray) {
    return square(x).mul(x);
  }
  override backward(gy: Variable) {
    return square(this.input).mul(3).mul(gy);
  }
}
