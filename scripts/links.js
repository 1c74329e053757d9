/** Fails where a document has a link to a file or a heading that isn't there. Addresses of the web are left alone. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * What is wrong with the links of these documents.
 *
 * @param {readonly string[]} files paths from `folder`
 * @param {string} folder
 */
export function brokenLinks(files, folder) {
  return files.flatMap((file) => {
    const text = withoutCode(readFileSync(join(folder, file), "utf8"));
    const inline = [...text.matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g)].map(([, target = ""]) => target);
    const definitions = [...text.matchAll(/^\[([^\]]+)\]: *(\S+)/gm)];
    const targets = [...inline, ...definitions.map(([, , target = ""]) => target)];
    const names = new Set(definitions.map(([, name = ""]) => name.toLowerCase()));
    const references = [...text.matchAll(/\]\[([^\]]+)\]/g)].map(([, name = ""]) => name);
    return [
      ...targets.filter((target) => !isThere(target, file, folder)).map((target) => `${file}: ${target} isn't there`),
      ...references.filter((name) => !names.has(name.toLowerCase())).map((name) => `${file}: [${name}] has no address`),
    ];
  });
}

/**
 * @param {string} target
 * @param {string} file
 * @param {string} folder
 */
function isThere(target, file, folder) {
  if (/^[a-z]+:/.test(target)) return true;
  const [path = "", heading] = target.split("#");
  const wanted = path === "" ? join(folder, file) : join(folder, dirname(file), decodeURIComponent(path));
  // What is outside isn't in the package.
  if (relative(folder, wanted).startsWith("..") || !existsSync(wanted)) return false;
  return heading === undefined || headingsOf(wanted).has(heading);
}

/** The names by which GitHub and npm link to headings. @param {string} file */
function headingsOf(file) {
  /** @type {Set<string>} */
  const found = new Set();
  for (const [, title = ""] of withoutBlocks(readFileSync(file, "utf8")).matchAll(/^#+ +(.+)$/gm)) {
    const name = title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-");
    let unused = name;
    for (let k = 1; found.has(unused); k++) unused = `${name}-${k}`;
    found.add(unused);
  }
  return found;
}

/** @param {string} text */
function withoutCode(text) {
  return withoutBlocks(text).replaceAll(/`[^`\n]*`/g, "");
}

/** @param {string} text */
function withoutBlocks(text) {
  return text.replaceAll(/^```[^]*?^```/gm, "");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "*.md"], {
    cwd: root,
    encoding: "utf8",
  });
  const files = listed.split("\n").filter((file) => file !== "" && existsSync(join(root, file)));
  const broken = brokenLinks(files, root);
  for (const each of broken) console.log(each);
  process.exitCode = broken.length === 0 ? 0 : 1;
}
