/**
 * `npm run api`: compares the public interface with `etc/gpugrad.api.md`, and shows what differs. `npm run api -- --update` writes
 * it there: a change of the interface is then seen in the change's own diff.
 */
import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const declarations = join(root, "test/output/declarations");
const isUpdate = process.argv.includes("--update");

rmSync(declarations, { recursive: true, force: true });
mkdirSync(join(root, "test/output"), { recursive: true });
const tsc = join(root, "node_modules/typescript/bin/tsc");
const compiling = [tsc, "-p", join(root, "tsconfig.build.json"), "--outDir", declarations];
if (spawnSync(process.execPath, compiling, { stdio: "inherit" }).status !== 0) process.exit(1);

const config = ExtractorConfig.loadFileAndPrepare(join(root, "etc/api-extractor.json"));
/** @type {string[]} */
const problems = [];
const { apiReportChanged, errorCount } = Extractor.invoke(config, {
  localBuild: isUpdate,
  messageCallback: (message) => {
    if (message.logLevel === ExtractorLogLevel.Error) problems.push(message.text);
    // What it prints by itself is long.
    message.handled = true;
  },
});
for (const problem of problems) console.log(problem);
if (apiReportChanged && !isUpdate) {
  const [before, after] = ["etc", "test/output"].map((folder) => join(root, folder, "gpugrad.api.md"));
  const shown = ["--no-pager", "diff", "--no-index", "--unified=1", before ?? "", after ?? ""];
  spawnSync("git", shown, { stdio: "inherit" });
  console.log("\nThe public interface has changed. If that is meant: npm run api -- --update");
}
process.exitCode = errorCount > 0 || (apiReportChanged && !isUpdate) ? 1 : 0;
