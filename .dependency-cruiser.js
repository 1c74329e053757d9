/** The rooms of src/, from top to bottom: imports, of types too, run downwards only. ARCHITECTURE.md says what lives in each. */
const rooms = ["inspect", "transforms", "functions", "elementwise", "graph", "gpu", "wgsl", "base"];

/** Each of these is made of the other two: a Variable knows its creator, a Function its Variables, a pass both. */
const inherent = "^src/graph/(variable|function|backward)\\.ts$";

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    ...rooms.slice(1).map((room, k) => ({
      name: `${room}-imports-downwards`,
      severity: /** @type {const} */ ("error"),
      from: { path: `^src/${room}/` },
      to: { path: `^src/(${rooms.slice(0, k + 1).join("|")}|index\\.ts|core\\.ts)` },
    })),
    {
      // Who imports `gpugrad/core` gets no methods, and pays for none.
      name: "methods-are-the-main-entry's",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/index\\.ts" },
      to: { path: "^src/(index|functions/methods|transforms/update-method)\\.ts" },
    },
    {
      name: "node-is-a-module-of-its-own",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/node(/|\\.ts)" },
      to: { path: "^src/node(/|\\.ts)" },
    },
    {
      name: "node-imports-gpugrad-only",
      severity: "error",
      from: { path: "^src/node(/|\\.ts)" },
      to: { path: "^src/", pathNot: "^src/(node/|core\\.ts)" },
    },
    {
      name: "no-circle",
      severity: "error",
      from: { path: "^src/" },
      to: { circular: true, via: { pathNot: inherent } },
    },
  ],
  options: { tsPreCompilationDeps: true, tsConfig: { fileName: "tsconfig.json" } },
};
