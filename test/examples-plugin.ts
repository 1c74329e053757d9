/**
 * Makes modules of the examples in the documentation, so that a test can run them: the ```ts blocks of Markdown files,
 * and the @example parts of doc comments. A line that ends with a comment such as `// 12` or `// [1, 2]` is checked
 * against what the line gives, or logs; comments that are no numbers are left alone.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { transformWithOxc, type Plugin } from "vite";

interface Example {
  readonly title: string;
  readonly code: string;
  /** Examples in doc comments may use names that their place makes clear; these stand before them. */
  readonly preamble: string;
}

const list = "virtual:examples";
const one = "virtual:example/";

export function examplesPlugin(root: string): Plugin {
  const examples = [...markdownExamples(root), ...docCommentExamples(root)];
  return {
    name: "gpugrad-examples",
    resolveId: (id) => (id === list || id.startsWith(one) ? `\0${id}` : null),
    async load(id) {
      if (id === `\0${list}`) {
        const entries = examples.map(
          ({ title }, k) => `{ title: ${JSON.stringify(title)}, run: () => import("${one}${k}.ts") }`,
        );
        return `export const examples = [${entries.join(",\n")}];`;
      }
      if (!id.startsWith(`\0${one}`)) return null;
      const example = examples[Number(id.slice(one.length + 1, -".ts".length))];
      if (example === undefined) return null;
      // Without `using`, which not every Node knows.
      const options = { target: "es2022" };
      return (await transformWithOxc(moduleOf(example), `example-${id.slice(one.length + 1)}`, options)).code;
    },
  };
}

function moduleOf({ code, preamble }: Example): string {
  const imports = code.match(/^import .*$/gm) ?? [];
  const body = code.replaceAll(/^import .*$/gm, "").replaceAll(/^(\s*)(.+?); *\/\/ (.+)$/gm, checkedLine);
  return [
    ...(preamble === "" ? [] : ['import * as gpugrad from "gpugrad";']),
    ...imports,
    'import { check } from "/test/check-example.ts";',
    "export async function run() {",
    preamble,
    "{",
    body,
    "}",
    "}",
  ].join("\n");
}

function checkedLine(line: string, indent: string, statement: string, comment: string): string {
  const logged = /^console\.log\((.*)\)$/.exec(statement)?.[1];
  const expression = logged ?? statement;
  if (/^(const|let|var|return|if|for|import|export)\b|[^=!<>]=[^=>]|^}/.test(expression.replace(/\(.*\)/s, "()"))) {
    return line;
  }
  return `${indent}await check(async () => [${expression}], ${JSON.stringify(comment)});`;
}

function markdownExamples(root: string): Example[] {
  return ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].flatMap((file) => {
    const blocks = [...read(root, file).matchAll(/^```ts\n([\s\S]*?)^```/gm)];
    return blocks.map((block, k) => ({ title: `${file}, example ${k + 1}`, code: block[1] ?? "", preamble: "" }));
  });
}

function docCommentExamples(root: string): Example[] {
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts"),
  );
  const preamble = preambleOf(root);
  return files.flatMap((name) => {
    const file = `src/${name}`;
    const blocks = [...read(root, file).matchAll(/@example\n([\s\S]*?)\*\/\n(?:export )?(?:async )?(.*)/g)];
    return blocks.map((block) => ({
      title: `${file}: ${(block[2] ?? "").trim().slice(0, 60)}`,
      code: (block[1] ?? "").replaceAll(/^ *\* ?/gm, ""),
      preamble,
    }));
  });
}

/** What the examples of doc comments take for granted: all that gpugrad exports (core.ts has the list), a device, and x with y = x². */
function preambleOf(root: string): string {
  const index = read(root, "src/core.ts");
  const named = [...index.matchAll(/^export \{([^}]*)\}/gm)].flatMap(([, names = ""]) =>
    names.split(",").map((name) => name.trim()),
  );
  const whole = [...index.matchAll(/^export \* from "\.\/(.*)\.js"/gm)].flatMap(([, file = ""]) =>
    Array.from(
      read(root, `src/${file}.ts`).matchAll(/^export (?:const|function|class) (\w+)/gm),
      ([, name = ""]) => name,
    ),
  );
  const values = [...named, ...whole].filter((name) => name !== "" && !name.startsWith("type "));
  return `
    const { ${values.join(", ")} } = gpugrad;
    const device = await init();
    const x = new Variable([1, 2, 3], { name: "x" });
    const y = square(x);
    y.backward();
  `;
}

function read(root: string, file: string): string {
  return readFileSync(join(root, file), "utf8");
}
