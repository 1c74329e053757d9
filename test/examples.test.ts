import { describe, test } from "vitest";
import { examples } from "virtual:examples";

describe("every example of the documentation runs, and gives what it says", () => {
  test.each(examples)("$title", async ({ run }) => {
    await (await run()).run();
  });
});
