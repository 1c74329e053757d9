/** A cloud becomes a sphere: three.js draws the positions that gpugrad moves, in three's own buffer. */
import { flush, GpuArray, init, sum, Variable } from "gpugrad";
import {
  BufferGeometry,
  PerspectiveCamera,
  Points,
  PointsNodeMaterial,
  RenderTarget,
  Scene,
  StorageBufferAttribute,
  WebGPURenderer,
} from "three/webgpu";
import { isStill, show } from "../page.js";

const { gpuDevice } = await init();
const count = 4096;

const renderer = new WebGPURenderer({ device: gpuDevice });
renderer.setSize(256, 256);
document.body.append(renderer.domElement);
await renderer.init();
const texture = new RenderTarget(256, 256);
if (isStill) renderer.setRenderTarget(texture);

const golden = Math.PI * (3 - Math.sqrt(5));
/** Evenly on the unit sphere, four numbers a point, as WebGPU wants them in storage. */
const sphere = Float32Array.from({ length: 4 * count }, (_, k) => {
  const i = k >> 2;
  const z = 1 - (2 * i + 1) / count;
  const r = Math.sqrt(1 - z * z);
  return [r * Math.cos(golden * i), r * Math.sin(golden * i), z, 1][k & 3] ?? 0;
});
const cloud = sphere.map((value, k) => ((k & 3) === 3 ? 1 : 0.3 * value * ((k * 0.6180339887) % 1)));

const attribute = new StorageBufferAttribute(cloud, 4);
const geometry = new BufferGeometry().setAttribute("position", attribute);
const points = new Points(geometry, new PointsNodeMaterial({ color: 0xffffff }));
points.frustumCulled = false;
const scene = new Scene().add(points);
const camera = new PerspectiveCamera(40, 1);
camera.position.z = 4;

// The first frame makes three's buffer.
renderer.render(scene, camera);
const { buffer } = (renderer.backend as unknown as { get(of: unknown): { buffer: GPUBuffer } }).get(attribute);
const positions = new Variable(GpuArray.fromBuffer(buffer, [count, 4]), { name: "positions" });
const target = new Variable(sphere, { shape: [count, 4], requiresGrad: false });

function frame(): void {
  using energy = sum(positions.sub(target).square());
  energy.backward({ retainGrad: false });
  positions.descend(0.05).clearGrad();
  // three submits by itself: what is recorded goes first.
  flush();
  renderer.render(scene, camera);
}

show({ frame, moved: positions, pixels: () => renderer.readRenderTargetPixelsAsync(texture, 0, 0, 256, 256) });
