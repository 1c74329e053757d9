/** Runs the plain loops and the comparison with float64 beside the page, which stays alive meanwhile. */
import { compareBlock, warmUp, type Comparison } from "./reference.js";

/** One block of numbers to compare. */
export interface Block {
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly gradient: Float32Array;
}

warmUp();
addEventListener("message", ({ data }: MessageEvent<Block>) => {
  const comparison: Comparison = compareBlock(data.x, data.y, data.gradient);
  postMessage(comparison);
});
