/** The products of matrices that are measured: [m, k] · [k, n]. */
import type { MatmulCase } from "./protocol.js";

export const matmulSizes: Readonly<Record<MatmulCase, readonly [m: number, k: number, n: number]>> = {
  matmul256: [256, 256, 256],
  matmul512: [512, 512, 512],
  matmul1024: [1024, 1024, 1024],
  matmul64x4096x64: [64, 4096, 64],
  matmul1000x784x10: [1000, 784, 10],
};

export function isMatmul(name: string): name is MatmulCase {
  return name in matmulSizes;
}
