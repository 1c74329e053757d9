/**
 * Every public name is documented: TypeDoc finds nothing without a doc comment, no type that is used and not exported, no
 * link that leads nowhere. Functions and classes have an example besides, which examples.test.ts runs.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  Application,
  LogLevel,
  Logger,
  ReflectionKind,
  TSConfigReader,
  type DeclarationReflection,
  type ProjectReflection,
} from "typedoc";
import { beforeAll, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

class Collected extends Logger {
  readonly found: string[] = [];

  override log(message: string, level: LogLevel): void {
    if (level >= LogLevel.Warn) this.found.push(message);
  }
}

const logger = new Collected();
let project: ProjectReflection;

beforeAll(async () => {
  const options = JSON.parse(readFileSync(join(root, "typedoc.json"), "utf8")) as Record<string, unknown>;
  delete options["$schema"];
  const inRoot = (path: string): string => join(root, path);
  const app = await Application.bootstrap(
    {
      ...options,
      entryPoints: (options["entryPoints"] as string[]).map(inRoot),
      tsconfig: inRoot(options["tsconfig"] as string),
    },
    [new TSConfigReader()],
  );
  app.logger = logger;
  const converted = await app.convert();
  if (converted === undefined) throw new Error(`TypeDoc reads nothing: ${logger.found.join("\n")}`);
  app.validate(converted);
  project = converted;
});

test("TypeDoc's validation finds nothing", () => {
  expect(logger.found).toEqual([]);
});

/** What can be called or constructed, of what the modules export. */
function callables(): DeclarationReflection[] {
  const all = project.children?.flatMap(({ children = [] }) => children) ?? [];
  return all.filter(
    ({ kind, type }) =>
      kind === ReflectionKind.Function ||
      kind === ReflectionKind.Class ||
      (kind === ReflectionKind.Variable &&
        type?.type === "reference" &&
        ["ElementwiseFunction", "NodeClass"].includes(type.name)),
  );
}

describe("functions and classes", () => {
  test("have an example", () => {
    const names = callables().filter(({ name, comment, signatures = [] }) => {
      // The errors share one, that of isGpugradError: they are told apart by code.
      if (name.endsWith("Error") && name !== "isGpugradError") return false;
      const comments = [comment, ...signatures.map((signature) => signature.comment)];
      return !comments.some((each) => each?.blockTags.some(({ tag }) => tag === "@example"));
    });
    expect(callables().length).toBeGreaterThan(80);
    expect(names.map(({ name }) => name)).toEqual([]);
  });
});
