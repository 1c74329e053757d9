/** Where the points are drawn. */
export interface View {
  readonly view: () => GPUTextureView;
  /** The bytes that were drawn, four a pixel. */
  readonly pixels: () => Promise<Uint8Array>;
}

const size = 256;

/** A canvas in the page. */
export function canvasOf(device: GPUDevice, format: GPUTextureFormat): View {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  document.body.append(canvas);
  const context = canvas.getContext("webgpu");
  if (context === null) throw new Error("this browser draws no WebGPU");
  context.configure({ device, format });
  return {
    view: () => context.getCurrentTexture().createView(),
    pixels: () => Promise.reject(new Error("a canvas shows its pixels to people only")),
  };
}

/** A texture that can be read. */
export function textureOf(device: GPUDevice, format: GPUTextureFormat): View {
  const { RENDER_ATTACHMENT, COPY_SRC } = GPUTextureUsage;
  const texture = device.createTexture({ size: [size, size], format, usage: RENDER_ATTACHMENT | COPY_SRC });
  const bytes = 4 * size * size;
  const { MAP_READ, COPY_DST } = GPUBufferUsage;
  return {
    view: () => texture.createView(),
    async pixels() {
      const buffer = device.createBuffer({ size: bytes, usage: MAP_READ | COPY_DST });
      const encoder = device.createCommandEncoder();
      encoder.copyTextureToBuffer({ texture }, { buffer, bytesPerRow: 4 * size }, [size, size]);
      device.queue.submit([encoder.finish()]);
      await buffer.mapAsync(GPUMapMode.READ);
      const pixels = new Uint8Array(buffer.getMappedRange()).slice();
      buffer.destroy();
      return pixels;
    },
  };
}
