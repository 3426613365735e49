import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { startTestApp, type TestApp } from "../support/app.ts";
import { type Enqueued, enqueue, untilEnded } from "../support/client.ts";
import { type Frame, framesOf, textOf } from "../support/log-socket.ts";

const LINES = 400;
const RUNS = 100;

let app: TestApp;
let job: Enqueued;
/** All of the log, as ndjson has it. */
let frames: Frame[];

beforeAll(async () => {
  app = await startTestApp();
  // Slowly enough that lines have different times, and that the log is stored in several chunks.
  const script = `i=0; while [ $i -lt ${LINES} ]; do i=$((i+1)); echo "out $i"
    [ $((i % 3)) = 0 ] && echo "err $i" >&2; [ $((i % 10)) = 0 ] && usleep 50000; done; printf rest`;
  job = await enqueue(app.url, "queries", { command: ["sh", "-c", script] });
  await untilEnded(job);
  frames = await ndjson("logs/?format=ndjson");
});
afterAll(() => app[Symbol.asyncDispose]());

const textAt = async (path: string) => await (await fetch(job.executionUrl + path)).text();
const ndjson = async (path: string) =>
  framesOf((await textAt(path)).split("\n").filter((line) => line !== ""));
const numbers = Array.from({ length: LINES }, (_, i) => i + 1);

test("ndjson has a line for each frame, in the order in which they were written", async () => {
  const answer = await fetch(`${job.executionUrl}logs/?format=ndjson`);

  const printed = {
    stdout: `${numbers.map((n) => `out ${n}\n`).join("")}rest`,
    stderr: numbers.flatMap((n) => (n % 3 === 0 ? [`err ${n}\n`] : [])).join(""),
  };
  expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
  expect([textOf(frames), textOf(frames, "stderr")]).toEqual([printed.stdout, printed.stderr]);
  expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, i) => i + 1));
  for (const frame of frames) expect(Object.keys(frame)).toEqual(["seq", "stream", "at", "data"]);
});

/** The frames behind a place: from the first of them on that is as late, and the last of them. */
function expected(
  of: readonly string[],
  { since, tail, after }: { since?: string | undefined; tail?: number | undefined; after?: number },
): Frame[] {
  const ofStreams = frames.filter(({ stream }) => of.includes(stream));
  const first = since === undefined ? 0 : ofStreams.findIndex(({ at }) => at >= since);
  const late = first < 0 ? [] : ofStreams.slice(first);
  const last = ofStreams.slice(-(tail ?? ofStreams.length));
  return late.filter(({ seq }) => seq > (after ?? 0) && seq >= (last[0]?.seq ?? 0));
}

const QUERY = fc.record({
  stream: fc.constantFrom(["stdout"], ["stderr"], ["stdout", "stderr"], ["pull", "stderr"]),
  since: fc.option(fc.nat(LINES), { nil: undefined }),
  inSeconds: fc.boolean(),
  tail: fc.option(fc.integer({ min: 1, max: LINES * 2 }), { nil: undefined }),
  after: fc.option(fc.nat(LINES * 2), { nil: undefined }),
  follow: fc.boolean(),
});

test(`ndjson: ${RUNS} combinations of stream, since, tail, after and follow`, async () => {
  const property = fc.asyncProperty(QUERY, async ({ stream, since, inSeconds, ...rest }) => {
    const at = since === undefined ? undefined : frames[since]?.at;
    const query = new URLSearchParams({ format: "ndjson", follow: String(rest.follow) });
    for (const each of stream) query.append("stream", each);
    if (at !== undefined) query.set("since", inSeconds ? String(Date.parse(at) / 1_000) : at);
    if (rest.tail !== undefined) query.set("tail", String(rest.tail));
    if (rest.after !== undefined) query.set("after", String(rest.after));

    const answered = await ndjson(`logs/?${query}`);

    const { tail, after = 0 } = rest;
    expect([String(query), answered]).toEqual([
      String(query),
      expected(stream, { since: at, tail, after }),
    ]);
  });

  await fc.assert(property, { numRuns: RUNS });
});

test(`text: ${RUNS} combinations of route, since, tail and follow`, async () => {
  const routes = fc.constantFrom("logs/", "stdout/", "stderr/", "logs/?stream=stderr");
  const property = fc.asyncProperty(routes, QUERY, async (route, { since, tail, follow }) => {
    const at = since === undefined ? undefined : frames[since]?.at;
    const url = new URL(job.executionUrl + route);
    if (at !== undefined) url.searchParams.set("since", at);
    if (tail !== undefined) url.searchParams.set("tail", String(tail));
    if (follow) url.searchParams.set("follow", "true");

    const text = await (await fetch(url)).text();

    const of = (...streams: string[]) =>
      expected(streams, { since: at, tail }).reduce((all, { data }) => all + data, "");
    const [, name = ""] = /(stdout|stderr)/.exec(route) ?? [];
    const both = follow ? of("stdout", "stderr") : `${of("stdout")}\n-=-\n${of("stderr")}`;
    expect([url.href, text]).toEqual([url.href, name === "" ? both : of(name)]);
  });

  await fc.assert(property, { numRuns: RUNS });
});
