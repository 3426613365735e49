import { expect, test } from "bun:test";
import { programByCommandLine, programIn } from "../../src/embedded/command-line.ts";

const POSTGRES = "/Users/me/.local/share/fast lane/postgres/18/bin/postgres";

test.each([
  [`${POSTGRES} -D /data -c fsync=on`, POSTGRES],
  [`${POSTGRES} -D /data-of-another -c fsync=on`, null],
  ["/bin/sh -D /data -c fsync=on", null],
  ["", null],
])("of the command line %p the program on /data is %p", (line, program) => {
  expect(programIn(line, "/data")).toBe(program);
});

test("a process that runs no Postgres is none, and one that has ended", async () => {
  expect(await programByCommandLine(process.pid, "/data")).toBeNull();
  expect(await programByCommandLine(2 ** 30, "/data")).toBeNull();
});
