import { expect, test } from "bun:test";
import { runCheck } from "../../src/doctor/run-check.ts";

const NEVER = new AbortController().signal;

test("a check that never ends is given up, with what it had found", async () => {
  const { findings } = runCheck(
    {
      subject: "it",
      withinMs: 20,
      async run(tell) {
        tell.ok("one");
        await new Promise(() => {});
      },
    },
    NEVER,
  );

  expect(await findings).toMatchObject([
    { level: "ok", message: "one" },
    { level: "problem", message: "it was not done within 0.02 s", advice: expect.any(String) },
  ]);
});

test("what a check did not expect is a problem, and ends no other", async () => {
  const broken = runCheck(
    { subject: "it", withinMs: 1_000, run: () => Promise.reject(new Error("surprise")) },
    NEVER,
  );

  expect(await broken.findings).toMatchObject([{ level: "problem", advice: expect.any(String) }]);
  await broken.settled;
});
