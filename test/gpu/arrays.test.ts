import { beforeAll, describe, expect, test } from "vitest";
import { exp, flush, GpuArray, init, Kernel, square, stats, sum, Variable, type Device } from "../../src/index.js";

let device: Device;

beforeAll(async () => {
  device = await init();
});

describe("sizes", () => {
  test.each([0, 1, 2, 3, 4, 5, 63, 64, 65, 255, 256, 257, 1023, 4099, 100_003])("%i elements", async (n) => {
    const numbers = Float32Array.from({ length: n }, (_, k) => (k % 1000) - 500);
    const x = new Variable(numbers);
    const y = square(x);
    y.backward();
    expect(await y.read()).toEqual(numbers.map((value) => value * value));
    expect(await x.grad?.read()).toEqual(numbers.map((value) => 2 * value));
  });

  test("2^26 elements, which are more workgroups than one dimension has", async () => {
    const n = 2 ** 26;
    expect(n / 256).toBeGreaterThan(device.limits.maxComputeWorkgroupsPerDimension);
    const numbers = new Float32Array(n);
    for (let k = 0; k < n; k++) numbers[k] = k % 4096;
    using x = new Variable(numbers);
    using y = square(x);
    const result = await y.read();
    let wrong = 0;
    for (let k = 0; k < n; k++) if (result[k] !== (k % 4096) ** 2) wrong++;
    expect(wrong).toBe(0);
  });

  test("more than the device allows is a RangeError with both numbers, and nothing is allocated", () => {
    const limit = device.maxArrayBytes;
    const { allocatedBytes } = stats();
    const x = new Variable([1], { shape: [1, 1] });
    const tooMany = limit / 4 + 1;
    const act = (): unknown => x.broadcastTo([tooMany, 1]);
    expect(act).toThrow(RangeError);
    expect(act).toThrow(expect.objectContaining({ code: "limit-exceeded", asked: tooMany * 4, limit }) as Error);
    expect(stats().allocatedBytes - allocatedBytes).toBeLessThanOrEqual(16);
  });
});

describe("the application's own buffers", () => {
  const { STORAGE, COPY_SRC, COPY_DST, VERTEX } = GPUBufferUsage;
  const usage = STORAGE | COPY_SRC | COPY_DST;

  function bufferOf(numbers: readonly number[], flags = usage): GPUBuffer {
    const buffer = device.gpuDevice.createBuffer({ size: 4 * numbers.length, usage: flags, mappedAtCreation: true });
    new Float32Array(buffer.getMappedRange()).set(numbers);
    buffer.unmap();
    return buffer;
  }

  /** All numbers of a buffer, the application's own among them. */
  const numbersOf = async (buffer: GPUBuffer): Promise<number[]> => [
    ...(await GpuArray.fromBuffer(buffer, [buffer.size / 4]).read()),
  ];

  test("a buffer is wrapped without a copy, and never destroyed or reused", async () => {
    const buffer = device.gpuDevice.createBuffer({ size: 32, usage });
    device.gpuDevice.queue.writeBuffer(buffer, 0, Float32Array.of(1, 2, 3, 4, 5));
    const live = stats().liveBytes;
    const x = new Variable(GpuArray.fromBuffer(buffer, [5]));
    expect(stats().liveBytes).toBe(live);
    expect([...(await square(x).read())]).toEqual([1, 4, 9, 16, 25]);
    x.dispose();
    device.gpuDevice.queue.writeBuffer(buffer, 0, Float32Array.of(7));
    const again = new Variable(GpuArray.fromBuffer(buffer, [1]));
    expect(await again.item()).toBe(7);
    buffer.destroy();
  });

  test("a buffer that is too small, of the wrong usage, or none at all is refused", () => {
    const small = device.gpuDevice.createBuffer({ size: 12, usage });
    expect(() => GpuArray.fromBuffer(small, [4])).toThrow(RangeError);
    expect(() => GpuArray.fromBuffer(small, [3], { offset: 4 })).toThrow(RangeError);
    const uniform = device.gpuDevice.createBuffer({ size: 64, usage: GPUBufferUsage.UNIFORM });
    expect(() => GpuArray.fromBuffer(uniform, [3])).toThrow(/STORAGE/);
    for (const none of [{}, { size: 16, usage: 128 }, null, new Float32Array(4), "buffer"]) {
      expect(() => GpuArray.fromBuffer(none as GPUBuffer, [3])).toThrow(TypeError);
    }
    for (const offset of [1, -4, 2.5, NaN, "4" as never]) {
      expect(() => GpuArray.fromBuffer(small, [1], { offset })).toThrow(/offset must be a multiple of 4/);
    }
    const bare = device.gpuDevice.createBuffer({ size: 512, usage: STORAGE | COPY_SRC });
    expect(() => GpuArray.fromBuffer(bare, [1], { offset: 4 })).toThrow(/multiple of \d+ on this device, or.*COPY_DST/);
    expect(() => GpuArray.fromBuffer(bare, [1], { offset: 256 })).not.toThrow();
  });

  test("a buffer is known by what it can do, whatever a runtime calls its class", async () => {
    const buffer = bufferOf([3]);
    Object.defineProperty(buffer, Symbol.toStringTag, { value: "Object" });
    expect(await square(GpuArray.fromBuffer(buffer, [1])).item()).toBe(9);
  });

  const changes: Record<string, (x: Variable) => unknown> = {
    descend: (x) => {
      sum(square(x)).backward();
      return x.descend(0.25);
    },
    "descend by a constant gradient": (x) => {
      x.grad = GpuArray.constant(4, x.shape);
      return x.descend(0.25);
    },
    "copyFrom a constant": (x) => {
      x.data.copyFrom(GpuArray.constant(6, x.shape));
    },
    "copyFrom what repeats one element": (x) => {
      const one = sum([1, 2, 3]);
      const y = new Variable(new Float32Array(x.size));
      sum(y).mul(one).backward();
      x.data.copyFrom(y.grad!.data);
    },
    "copyFrom an array": (x) => {
      x.data.copyFrom(GpuArray.from(new Float32Array(x.size).fill(6)));
    },
    assign: (x) => x.assign(new Float32Array(x.size).fill(6)),
    "a Kernel": (x) => {
      new Kernel({
        name: "sixes",
        wgsl: `
          @group(0) @binding(0) var<storage, read_write> y: array<f32>;
          @compute @workgroup_size(64)
          fn main(@builtin(global_invocation_id) id: vec3u) { if (id.x < arrayLength(&y)) { y[id.x] = 6.0; } }`,
        bindings: ["output"],
      }).runInto({ inputs: [], outputs: [x], invocations: x.size });
    },
  };
  const placed = [1, 2, 3, 4, 5, 6, 7].flatMap((n) => [
    { n, offset: 0, rest: 3 },
    { n, offset: 0, rest: 0 },
    { n, offset: 256, rest: 1 },
    { n, offset: 4, rest: 2 },
    { n, offset: 260, rest: 0 },
  ]);

  test.each(Object.keys(changes))("%s writes the array's elements and nothing else", async (name) => {
    for (const flags of [usage, STORAGE | COPY_SRC | VERTEX]) {
      for (const { n, offset, rest } of placed) {
        if (flags !== usage && offset % 256 !== 0) continue;
        const before = Array.from({ length: offset / 4 }, (_, k) => 100 + k);
        const after = Array.from({ length: rest }, (_, k) => 77 + k);
        const buffer = bufferOf([...before, ...new Array<number>(n).fill(8), ...after], flags);
        const x = new Variable(GpuArray.fromBuffer(buffer, [n], { offset }));
        changes[name]!(x);
        const expected = { descend: 4, "descend by a constant gradient": 7 }[name] ?? 6;
        expect(await numbersOf(buffer)).toEqual([...before, ...new Array<number>(n).fill(expected), ...after]);
        expect([...(await square(x).read())]).toEqual(new Array<number>(n).fill(expected ** 2));
      }
    }
  });

  test.each([3, 5, 9, 15, 64, 300])(
    "of %i numbers, which is all it holds, a vertex buffer can be computed with",
    async (n) => {
      const numbers = Array.from({ length: n }, (_, k) => (k % 7) - 3);
      for (const offset of [0, 256, 4, 36]) {
        const buffer = bufferOf([...new Array<number>(offset / 4).fill(1e6), ...numbers], usage | VERTEX);
        const x = new Variable(GpuArray.fromBuffer(buffer, [n, 1], { offset }));
        const y = sum(square(x.mul([1, 2])).add(x), 0);
        const squares = numbers.reduce((total, value) => total + value * value, 0);
        const plain = numbers.reduce((total, value) => total + value, 0);
        expect([...(await y.read())]).toEqual([squares + plain, 4 * squares + plain]);
        sum(y).backward();
        expect([...(await x.grad!.read())]).toEqual(numbers.map((value) => 10 * value + 2));
        expect([...(await x.transpose().read())]).toEqual(numbers);
        expect(await x.max().item()).toBe(Math.max(...numbers));
      }
    },
  );

  test("whole vec4s are bound as they are: no copy, no memory", async () => {
    const buffer = bufferOf(new Array<number>(8).fill(2));
    const x = new Variable(GpuArray.fromBuffer(buffer, [8]));
    const g = new Variable(new Float32Array(8).fill(1));
    const { liveBytes, dispatches } = stats();
    x.data.descend(g.data, 1);
    expect(stats()).toMatchObject({ liveBytes, dispatches: dispatches + 1 });
    expect(await numbersOf(buffer)).toEqual(new Array<number>(8).fill(1));
  });

  test("arrays over one buffer share its version, and each sees what the other changes", async () => {
    const buffer = bufferOf([1, 2, 3, 4, 5, 6, 7, 8]);
    const p = new Variable(GpuArray.fromBuffer(buffer, [4]));
    const q = new Variable(GpuArray.fromBuffer(buffer, [4]));
    const beside = new Variable(GpuArray.fromBuffer(buffer, [4], { offset: 16 }));
    for (const other of [q, beside]) {
      const y = square(p);
      other.assign([9, 9, 9, 9]);
      expect(() => {
        y.backward();
      }).toThrow(expect.objectContaining({ code: "modified" }) as Error);
    }
    expect([...(await p.read())]).toEqual([9, 9, 9, 9]);
    q.assign([1, 2, 3, 4]);
    beside.assign(q);
    expect(await numbersOf(buffer)).toEqual([1, 2, 3, 4, 1, 2, 3, 4]);
    q.grad = beside.data;
    q.descend(1);
    expect(await numbersOf(buffer)).toEqual([0, 0, 0, 0, 1, 2, 3, 4]);
  });

  test("an application that changes its buffer says so: backward through the old numbers is refused", async () => {
    const buffer = bufferOf([1, 2, 3, 4]);
    const p = new Variable(GpuArray.fromBuffer(buffer, [4]));
    const y = square(p);
    flush();
    device.gpuDevice.queue.writeBuffer(buffer, 0, Float32Array.of(5));
    p.data.markModified();
    expect(() => {
      y.backward();
    }).toThrow(expect.objectContaining({ code: "modified" }) as Error);
    square(p).backward();
    expect([...(await p.grad!.read())]).toEqual([10, 4, 6, 8]);
    expect([...(await y.read())]).toEqual([1, 4, 9, 16]);
  });

  test("saying so of an array that was released is refused: its memory is no longer its own", () => {
    const array = GpuArray.fromBuffer(bufferOf([1, 2, 3, 4]), [4]);
    array.release();
    expect(() => {
      array.markModified();
    }).toThrow(expect.objectContaining({ code: "released" }) as Error);
  });

  test("a result's buffer can be used by the application's next submit", async () => {
    const y = exp(new Variable([0, 1]));
    const staging = device.gpuDevice.createBuffer({
      size: 8,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    const { buffer } = y.data;
    const encoder = device.gpuDevice.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, 8);
    device.gpuDevice.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    expect(new Float32Array(staging.getMappedRange())[1]).toBeCloseTo(Math.E, 6);
  });
});

describe("the pool", () => {
  test("a released buffer that recorded commands still read is not overwritten by an upload", async () => {
    await device.gpuDevice.queue.onSubmittedWorkDone();
    const x = new Variable(new Float32Array(3000).fill(1));
    const y = square(x);
    x.dispose(); // y's dispatch is recorded, not submitted
    y.dispose();
    const x2 = new Variable(new Float32Array(3000).fill(5));
    const y2 = square(x2);
    x2.dispose();
    const x3 = new Variable(new Float32Array(3000).fill(7));
    expect((await y2.read())[2999]).toBe(25);
    expect((await x3.read())[0]).toBe(7);
  });

  test("a pool without room destroys buffers only behind the commands that use them", async () => {
    await init({ poolBytes: 0 });
    const x = new Variable(new Float32Array(3000).fill(3));
    const y = square(x);
    const z = square(y);
    y.dispose();
    x.dispose();
    expect((await z.read())[0]).toBe(81);
    expect(stats().pooledBytes).toBe(0);
    await init({ poolBytes: 2 ** 30 });
  });
});

test("a buffer of gpugrad's own is refused by fromBuffer: it will be used for something else", async () => {
  for (const size of [3, 2 ** 16]) {
    const x = new Variable(new Float32Array(size).fill(2));
    expect(() => GpuArray.fromBuffer(x.data.buffer, [size])).toThrow(
      expect.objectContaining({
        code: "invalid-argument",
        message: expect.stringContaining("gpugrad's own") as string,
      }) as Error,
    );
    const same = new Variable(x.data.reshape([size, 1]));
    x.dispose();
    expect((await same.read())[size - 1]).toBe(2);
  }
});

test("copyFrom and assign name themselves where they refuse", () => {
  const x = new Variable([1]);
  expect(() => {
    x.data.copyFrom([1] as never);
  }).toThrow(/^copyFrom takes a GpuArray, not an array/);
  expect(() => {
    x.data.copyFrom(GpuArray.constant(1, [2]));
  }).toThrow(/^copyFrom: \[2\] has not as many numbers/);
  expect(() => x.assign([1, 2])).toThrow(/can't be assigned to Variable \[1\]/);
});
