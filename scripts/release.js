/**
 * `npm run release -- minor` (or patch, major, a version): the version, the changelog, all of .ci/run, a commit and a tag. What is
 * pushed with that tag, .github/workflows/release.yml publishes, by `--publish`. With `--dry-run`, either says what it would do,
 * and changes nothing.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/** @typedef {{ version: string, repository?: unknown }} Package */

const root = fileURLToPath(new URL("..", import.meta.url));
const usage = "npm run release -- patch | minor | major | X.Y.Z [--dry-run]; in CI, node scripts/release.js --publish";

/**
 * The version after this one.
 *
 * @param {string} version
 * @param {string} step
 */
export function nextVersion(version, step) {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  if (step === "major") return `${major + 1}.0.0`;
  if (step === "minor") return `${major}.${minor + 1}.0`;
  if (step === "patch") return `${major}.${minor}.${patch + 1}`;
  const [newMajor = -1, newMinor = -1, newPatch = -1] = /^\d+\.\d+\.\d+$/.test(step) ? step.split(".").map(Number) : [];
  // The same one is the first release.
  const later = newMajor - major || newMinor - minor || newPatch - patch;
  if (later < 0) throw new Error(`${step} is no step and no version after ${version}: ${usage}`);
  return step;
}

/**
 * The changelog, in which what is under "Unreleased" is under this version.
 *
 * @param {string} changelog
 * @param {string} version
 * @param {string} date
 */
export function released(changelog, version, date) {
  const changes = sectionOf(changelog, "Unreleased");
  if (!changes.includes("\n- ")) throw new Error("CHANGELOG.md has nothing under Unreleased");
  return changelog.replace("## Unreleased\n", `## Unreleased\n\n## ${version} - ${date}\n`);
}

/**
 * What stands under a heading; nothing where it isn't there.
 *
 * @param {string} changelog
 * @param {string} title the heading's first word
 */
export function sectionOf(changelog, title) {
  const [, ...sections] = changelog.split(/^## /m);
  const found = sections.find((section) => section.split(/\s/, 1)[0] === title);
  return found === undefined ? "" : found.slice(found.indexOf("\n"));
}

/** @param {string} file */
function read(file) {
  return readFileSync(join(root, file), "utf8");
}

function readPackage() {
  /** @type {unknown} */
  const parsed = JSON.parse(read("package.json"));
  return /** @type {Package} */ (parsed);
}

/**
 * @param {string} command
 * @param {...string} args
 */
function run(command, ...args) {
  execFileSync(command, args, { cwd: root, stdio: "inherit" });
}

/** @param {string} step @param {boolean} isDry */
function prepare(step, isDry) {
  const { version } = readPackage();
  const next = nextVersion(version, step);
  if (sectionOf(read("CHANGELOG.md"), next) !== "") throw new Error(`CHANGELOG.md has ${next} already`);
  const changelog = released(read("CHANGELOG.md"), next, new Date().toISOString().slice(0, 10));
  console.log(`${version} → ${next}\n${sectionOf(changelog, next)}`);
  if (isDry) {
    console.log("A dry run: .ci/run wasn't run, nothing was written, committed or tagged.");
    run("npm", "pack", "--dry-run", "--ignore-scripts");
    return;
  }
  if (execFileSync("git", ["status", "--porcelain"], { cwd: root, encoding: "utf8" }) !== "") {
    throw new Error("there are changes that aren't committed");
  }
  run("npm", "version", next, "--no-git-tag-version", "--allow-same-version");
  writeFileSync(join(root, "CHANGELOG.md"), changelog);
  run("bash", ".ci/run");
  run("git", "commit", "--all", "--message", `Version ${next}`);
  run("git", "tag", "--annotate", `v${next}`, "--message", `Version ${next}`);
  console.log(`To publish it: git push --follow-tags`);
}

/** @param {boolean} isDry */
function publish(isDry) {
  const { version, repository } = readPackage();
  const tag = process.env["GITHUB_REF_NAME"];
  if (!isDry && tag !== `v${version}`) throw new Error(`the tag is ${tag ?? "missing"}, the version ${version}`);
  if (!isDry && repository === undefined) {
    throw new Error("package.json names no repository: npm has nothing to compare the build's statement with");
  }
  if (!isDry && sectionOf(read("CHANGELOG.md"), version) === "") throw new Error(`CHANGELOG.md has no ${version}`);
  run("npm", "run", "build");
  // The statement is CI's, and anywhere else npm refuses to make one.
  run("npm", "publish", ...(isDry ? ["--dry-run"] : ["--provenance", "--access", "public"]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { "dry-run": { type: "boolean", default: false }, publish: { type: "boolean", default: false } },
  });
  try {
    const [step] = positionals;
    if (values.publish) publish(values["dry-run"]);
    else if (step === undefined) throw new Error(usage);
    else prepare(step, values["dry-run"]);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
