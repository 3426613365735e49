import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestApp, type TestApp } from "../support/app.ts";
import type { Enqueued } from "../support/client.ts";
import { chunksOf, frame, storedLog } from "../support/stored-log.ts";
import { errorOf } from "./request.ts";

let app: TestApp;
let job: Enqueued;
beforeAll(async () => {
  app = await startTestApp({ roles: { api: true, worker: false } });
  const written = Date.now() - 1_700_000_000_000;
  const minutesAgo = (minutes: number) => written - minutes * 60_000;
  const frames = [120, 100, 30, 5, 31, 1].map((minutes) =>
    frame("stdout", `${minutes} minutes ago\n`, minutesAgo(minutes)),
  );
  job = await storedLog(app, chunksOf(frames, 2));
});
afterAll(() => app[Symbol.asyncDispose]());

const linesOf = async (query: string) =>
  [...(await (await fetch(`${job.executionUrl}stdout/?${query}`)).text()).matchAll(/^\d+/gm)].map(
    ([minutes]) => Number(minutes),
  );

test.each([
  ["3h", [120, 100, 30, 5, 31, 1]],
  ["1h45m", [100, 30, 5, 31, 1]],
  ["6000s", [30, 5, 31, 1]],
  ["99m", [30, 5, 31, 1]],
  // The host's clock was put back behind that line: what came later was written later.
  ["10m", [5, 31, 1]],
  ["30s", []],
  ["0", [120, 100, 30, 5, 31, 1]],
  ["2999-01-01T00:00:00Z", []],
])("since=%s gives what was written then and later", async (since, minutes) => {
  expect(await linesOf(`since=${since}`)).toEqual(minutes);
  expect(await linesOf(`since=${since}&follow=true`)).toEqual(minutes);
});

const SINCE = '"since" must be how long ago, such as 10m or 1h30m, UNIX seconds, or ISO 8601';

test.each([
  ["logs", "since=yesterday", SINCE],
  ["logs", "since=", SINCE],
  ["stderr", "since=10 m", SINCE],
  ["logs", "format=json", '"format" must be text or ndjson'],
  ["logs", "after=5", '"after" goes with "format=ndjson" alone'],
  ["stdout", "format=ndjson&after=-1", '"after" must be a whole number from 0 to 9007199254740991'],
  ["stderr", "stream=stdout", '"stream" goes with logs/ alone'],
  ["logs", "stream=stdin", '"stream" must be stdout, stderr or pull'],
  ["logs", "stream=stdout&stream=pull", '"stream" may be repeated with "format=ndjson" alone'],
  ["logs", "format=ndjson&stream=stdout&stream=x", '"stream" must be stdout, stderr or pull'],
  ["logs", "download=maybe", '"download" must be true or false'],
  ["logs", "format=ndjson&tail=0", '"tail" must be a whole number from 1 to 1000000'],
])("%s/?%s is refused with a sentence, where it is wrong", async (route, query, sentence) => {
  const answer = await fetch(`${job.executionUrl}${route}/?${query}`);

  expect((await errorOf(answer, 400)).error).toStartWith(sentence);
});
