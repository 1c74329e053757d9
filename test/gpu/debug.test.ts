/** `init({ debug: true })`: what is told long after a call names the line of that call. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  exp,
  findNonFinite,
  Function,
  fuse,
  init,
  Kernel,
  log,
  square,
  Variable,
  type GpuArray,
} from "../../src/index.js";
import { errorOf } from "../trouble.js";

beforeAll(async () => {
  await init();
});

beforeEach(async () => {
  await init({ debug: true });
});

afterEach(async () => {
  await init({ debug: false });
});

/** WebGPU refuses it: its binding is smaller than what it has. */
const refused = new Kernel({
  name: "refused",
  wgsl: `@group(0) @binding(0) var<storage, read_write> y: array<vec4f, 100>;
    @compute @workgroup_size(1) fn main() { y[0].x = 1.0; }`,
  bindings: ["output"],
});

class Refused extends Function {
  constructor(readonly where: "forward" | "backward") {
    super();
  }

  #run(given: GpuArray, isIt: boolean): GpuArray | undefined {
    if (isIt) return refused.run({ inputs: [], outputs: [given.shape], invocations: 1 })[0];
    return square(given).data;
  }

  override forward(x: GpuArray): GpuArray {
    return this.#run(x, this.where === "forward") ?? x;
  }

  override backward(gy: Variable): GpuArray {
    return this.#run(gy.data, this.where === "backward") ?? gy.data;
  }
}

interface Told {
  readonly message: string;
  readonly cause: { readonly stack: string };
}

const callIt = (x: Variable, where: "forward" | "backward"): Variable => {
  function theUsersCall(): Variable {
    return new Refused(where).call(x);
  }
  return theUsersCall();
};

describe("what WebGPU refuses", () => {
  test("names the line of the call, in the message and in the stack of the cause", async () => {
    const y = exp(callIt(new Variable([1]), "forward"));
    const { message, cause } = (await errorOf(() => y.read())) as Told;
    expect(message).toMatch(/refused \[1\] \(4 bytes\) has no result: [^]*\n {2}called at .*debug\.test/);
    expect(message).not.toMatch(/src\/g/);
    expect(cause.stack).toContain("theUsersCall");
  });

  test("of a gradient, names the call of the function and of the pass", async () => {
    const x = new Variable([1]);
    const y = callIt(x, "backward");
    function theUsersPass(): void {
      y.backward();
    }
    theUsersPass();
    const { message, cause } = (await errorOf(() => x.grad?.read())) as Told;
    expect(message).toMatch(/in the backward of what was called at .*theUsersCall.*debug\.test/);
    expect(cause.stack).toContain("theUsersPass");
  });

  test("without the option, nothing is kept", async () => {
    await init({ debug: false });
    const y = callIt(new Variable([1]), "forward");
    const { message, cause } = (await errorOf(() => y.read())) as Told;
    expect(message).not.toContain("called at");
    expect(cause.stack).not.toContain("theUsersCall");
    expect((await findNonFinite(log(new Variable([0]))))?.[0]?.calledAt).toBe(null);
  });
});

describe("findNonFinite", () => {
  test("names the line, of a gradient that of its function, and of a fused one that of the whole", async () => {
    const infinite = (x: Variable): Variable => log(x);
    const fused = fuse((x: Variable) => exp(log(x)).add(log(x)));
    const callFused = (x: Variable): Variable => fused(x);
    const [first] = (await findNonFinite(square(infinite(new Variable([1, 0]))))) ?? [];
    expect(first).toMatchObject({ name: "Log", calledAt: expect.stringMatching(/infinite.*debug\.test/) as string });
    const [inside] = (await findNonFinite(callFused(new Variable([1, 0])))) ?? [];
    expect(inside).toMatchObject({ name: "Log", calledAt: expect.stringMatching(/callFused.*debug\.test/) as string });
    const steep = (x: Variable): Variable => x.sqrt();
    const [slope] = (await findNonFinite(steep(new Variable([0])), { gradients: true })) ?? [];
    expect(slope).toMatchObject({ kind: "gradient", calledAt: expect.stringMatching(/steep.*debug\.test/) as string });
  });
});

test("the option is a boolean, and the limit of stacks stays as it was", async () => {
  const before = (Error as { stackTraceLimit?: number }).stackTraceLimit;
  await expect(init({ debug: 1 as never })).rejects.toThrow(/debug must be true or false/);
  square([1, 2]);
  expect((Error as { stackTraceLimit?: number }).stackTraceLimit).toBe(before);
});
