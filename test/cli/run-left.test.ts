import { expect, test } from "bun:test";
import { cli } from "../support/cli.ts";
import { COMMAND } from "./command.ts";

const NAME = { jobId: "11111111-aaaa", executionId: "22222222-bbbb" };
const URLS = { jobUrl: "http://x/j/", executionUrl: "http://x/e/" };
const LEFT = "fastlane: it was left running: cli 11111111-aaaa 22222222-bbbb";
const HEAD = { stream: "stdout", at: "2030-01-01T00:00:00.000Z" };
const frame = (seq: number) =>
  `event: log\ndata: ${JSON.stringify({ seq, ...HEAD, data: "line\n" })}\n\n`;

/** A server that makes every job, and answers so to who follows it. */
function serve(events: () => Response) {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ method }) => (method === "POST" ? Response.json({ ...NAME, ...URLS }) : events()),
  });
  return { url: server.url.href, [Symbol.asyncDispose]: () => server.stop(true) };
}

const runArgs = (url: string) => ["run", "cli", "--url", url, "--image", "busybox", "--", "true"];

test.each([401, 403, 404])(
  "what an answer %d keeps from being followed was left running",
  async (status) => {
    await using server = serve(() => Response.json({ error: "Its own words" }, { status }));

    const { code, stderr } = await cli(runArgs(server.url));

    const [why, left] = stderr.split("\n");
    expect(code).toBe(125);
    expect(why).toContain("Its own words");
    expect(left).toStartWith(LEFT);
  },
);

test("it is left running when nobody reads its log any more", async () => {
  let seq = 0;
  let writing: NodeJS.Timeout | undefined;
  const body = () =>
    new ReadableStream({
      start(to) {
        writing = setInterval(() => to.enqueue(frame(++seq)), 10);
      },
      cancel: () => clearInterval(writing),
    });
  await using server = serve(
    () => new Response(body(), { headers: { "content-type": "text/event-stream" } }),
  );
  const [program, ...first] = COMMAND;
  const script = '"$@" | head -n 1; exit "$PIPESTATUS"';

  const child = Bun.spawn(
    ["bash", "-c", script, "bash", program ?? "", ...first, ...runArgs(server.url)],
    {
      env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent" },
      stdout: "pipe",
      stderr: "pipe",
    },
  );

  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect([await child.exited, stdout]).toEqual([141, "line\n"]);
  expect(stderr).toStartWith(LEFT);
});
