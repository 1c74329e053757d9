/** Prints the test run's count, from the JSON report that Vitest writes where CI is set. */
import { readFileSync } from "node:fs";

/** @typedef {{ numPassedTests: number, numFailedTests: number, numTotalTests: number, success: boolean }} Report */

/** @type {unknown} */
const parsed = JSON.parse(readFileSync(new URL("../test/output/report.json", import.meta.url), "utf8"));
const { numPassedTests, numFailedTests, numTotalTests, success } = /** @type {Report} */ (parsed);
const others = numTotalTests - numPassedTests - numFailedTests;
if (others > 0) console.log(`${others} tests did not run: that is a failure here`);
console.log(`${numPassedTests} passed, ${numFailedTests + others} failed`);
process.exitCode = success && others === 0 ? 0 : 1;
