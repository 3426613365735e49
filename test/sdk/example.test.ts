import { expect, test } from "bun:test";
import { startTestApp } from "../support/app.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const EXAMPLE = "docs/examples/client.ts";
/** In the package's own folder, where `fastlane/client` is what its package.json exports. */
const RUN = `${ROOT}build/example-client.mjs`;

async function finished(command: string[], env: Record<string, string> = {}) {
  const child = Bun.spawn(command, {
    cwd: ROOT,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, stdout, stderr };
}

test("the example of the typed client compiles with what is published, and nothing of ours besides", async () => {
  const compiled = await finished(["node_modules/.bin/tsc", "-p", "docs/examples"]);

  expect(compiled).toEqual({ code: 0, stdout: "", stderr: "" });
});

test("a wrong key, a wrong type and a key that an answer lacks do not compile", async () => {
  const wrong = [
    'await answerOf(task.$post({ param: { taskId: "a" }, json: { image: "a", command: "b", comand: 1 } }));',
    'await answerOf(task.$post({ param: { taskId: "a" }, json: { image: "a" } }));',
    'await answerOf(job.why.$get({ param: { taskId: "a" } }));',
    "console.log(made.execution?.exitcode);",
  ];
  const source = await Bun.file(ROOT + EXAMPLE).text();
  const file = `${ROOT}build/wrong-client.ts`;
  await Bun.write(file, `${source}\n${wrong.join("\n")}\n`);
  const first = source.split("\n").length + 1;

  const compiled = await finished([
    "node_modules/.bin/tsc",
    ...["--ignoreConfig", "--noEmit", "--strict", "--module", "nodenext", "--types", "node", file],
  ]);

  const lines = [...compiled.stdout.matchAll(/wrong-client\.ts\((\d+),/g)].map(([, line]) =>
    Number(line),
  );
  expect([...new Set(lines)]).toEqual(wrong.map((_, index) => first + index));
});

test("the example runs in plain Node against a real server", async () => {
  await using app = await startTestApp();
  const code = new Bun.Transpiler({ loader: "ts" }).transformSync(
    await Bun.file(ROOT + EXAMPLE).text(),
  );
  await Bun.write(RUN, code);

  const run = await finished(["node", RUN], { FASTLANE_URL: app.url });

  expect(run).toMatchObject({ code: 0, stderr: "" });
  const [made, why, log, refused] = run.stdout.trimEnd().split(/\n+/);
  expect(made).toMatch(/^made [0-9a-f-]{36}: done$/);
  expect(why).toContain("exit code 0");
  expect(log).toBe("200 hello");
  expect(refused).toContain("404 ");
});
