import { expect, test } from "bun:test";
import { cli } from "../support/cli.ts";

test.each([
  [["--image", "busybox"], "give the command behind --"],
  [["--", "true"], "give --image IMAGE"],
  [["ls", "-l"], "fastlane run TASK --image IMAGE -- COMMAND"],
])("%j is told what is missing", async (words, said) => {
  const { code, stderr } = await cli(["run", "cli", ...words]);

  expect([code, stderr]).toEqual([125, expect.stringContaining(said)]);
});

test("a variable that has no value here is warned of", async () => {
  const flags = ["--ca-file", "/nonexistent", "--image", "busybox", "-e", "NOPE", "-e", "HOME"];

  const { stderr } = await cli(["run", "cli", ...flags, "--", "true"]);

  const said = "-e NOPE: there is no such variable here, so it is not given";
  expect(stderr).toStartWith(`fastlane: ${said}\n`);
  expect(stderr).not.toContain("-e HOME");
});
