import { expect, test } from "bun:test";
import type { LogFrame } from "../../src/core/log-frames.ts";
import { PullAborted, PullFailed, type PullRequest } from "../../src/farm/host.ts";
import { createPullLines } from "../../src/farm/pull-lines.ts";
import { sharedPulls } from "../../src/farm/shared-pulls.ts";

const LOGIN = { registry: "r", username: "ada", password: "one" };

/** Pulls that go on as a test says. */
function givenPulls() {
  const begun: (PullRequest & { end(error?: Error): void })[] = [];
  const share = sharedPulls((request) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    request.signal.addEventListener("abort", () => reject(new PullAborted("aborted")));
    begun.push({ ...request, end: (error) => (error === undefined ? resolve() : reject(error)) });
    return promise;
  });
  const want = (image: string, login: PullRequest["login"] = null) => {
    const leaves = new AbortController();
    const lines: string[] = [];
    const onProgress = (frames: LogFrame[]) => void lines.push(...frames.map(textOf));
    const outcome = share({ image, login, signal: leaves.signal, onProgress }).then(
      () => "pulled",
      (error: Error) => error,
    );
    return { outcome, lines, giveUp: () => leaves.abort() };
  };
  return { begun, want };
}

const textOf = ({ data }: LogFrame) => new TextDecoder().decode(data);
const line = (text: string): LogFrame[] => [
  { stream: "pull", at: { seconds: 1, nanos: 0 }, data: new TextEncoder().encode(text) },
];
const aTurn = () => new Promise((resolve) => setImmediate(resolve));

test("all who want an image at once wait for one pull, and each hears all of it", async () => {
  const { begun, want } = givenPulls();
  const early = want("a");
  await aTurn();
  begun[0]?.onProgress(line("one"));

  const late = want("a");
  begun[0]?.onProgress(line("two"));
  begun[0]?.end();

  expect(await Promise.all([early.outcome, late.outcome])).toEqual(["pulled", "pulled"]);
  expect([early.lines, late.lines]).toEqual([
    ["one", "two"],
    ["one", "two"],
  ]);
  expect(begun).toHaveLength(1);
});

test("another image or another login is another pull", async () => {
  const { begun, want } = givenPulls();

  const all = [want("a"), want("b"), want("a", LOGIN), want("a", { ...LOGIN, password: "two" })];
  await aTurn();
  for (const pull of begun) pull.end();

  expect(begun).toHaveLength(4);
  expect(await Promise.all(all.map(({ outcome }) => outcome))).toEqual(Array(4).fill("pulled"));
});

test("who gives up leaves the others alone, and hears no more", async () => {
  const { begun, want } = givenPulls();
  const [first, second] = [want("a"), want("a")];
  await aTurn();

  first.giveUp();
  const outcome = await first.outcome;
  begun[0]?.onProgress(line("more"));
  begun[0]?.end();

  expect(outcome).toBeInstanceOf(PullAborted);
  expect(await second.outcome).toBe("pulled");
  expect([first.lines, second.lines]).toEqual([[], ["more"]]);
});

test("the last who gives up ends the pull, and who comes then begins another", async () => {
  const { begun, want } = givenPulls();
  const [first, second] = [want("a"), want("a")];
  await aTurn();

  first.giveUp();
  await first.outcome;
  const isAbortedByTheFirst = begun[0]?.signal.aborted;
  second.giveUp();
  await second.outcome;
  const next = want("a");
  await aTurn();
  begun[1]?.end();

  expect([isAbortedByTheFirst, begun[0]?.signal.aborted]).toEqual([false, true]);
  expect(await next.outcome).toBe("pulled");
  expect(begun).toHaveLength(2);
});

test("a failure is told to all, and who comes then has it pulled anew", async () => {
  const { begun, want } = givenPulls();
  const all = [want("a"), want("a"), want("a")];
  await aTurn();
  const failure = new PullFailed("pull_denied", "no");

  begun[0]?.end(failure);
  const outcomes = await Promise.all(all.map(({ outcome }) => outcome));
  const next = want("a");
  await aTurn();
  begun[1]?.end();

  expect(outcomes).toEqual([failure, failure, failure]);
  expect(await next.outcome).toBe("pulled");
});

test("progress is told by changes of a layer's status, bounded, and what is left out is counted", () => {
  const lines = createPullLines();
  const told = [
    { status: "Pulling from a", id: "latest" },
    { status: "Downloading", id: "l1", progressDetail: { current: 1 } },
    { status: "Downloading", id: "l1", progressDetail: { current: 2 } },
    { status: "Retrying in 5 seconds", id: "l1" },
    { status: "Retrying in 4 seconds", id: "l1" },
    { status: "Download complete", id: "l1" },
    { nothing: "of use" },
  ].flatMap((value) => lines.next(value));
  const many = Array.from({ length: 600 }, (_, i) => ({ status: "Pulling fs layer", id: `m${i}` }));
  const rest = many.flatMap((value) => lines.next(value));
  const last = [...lines.next({ status: "Digest: sha256:1" }), ...lines.end("it broke")];

  expect(told.map(textOf)).toEqual([
    "latest: Pulling from a\n",
    "l1: Downloading\n",
    "l1: Retrying in 5 seconds\n",
    "l1: Download complete\n",
  ]);
  expect(rest).toHaveLength(496);
  expect(last.map(textOf)).toEqual([
    "Digest: sha256:1\n",
    "(104 more lines about layers were left out)\n",
    "Failed: it broke\n",
  ]);
  expect(told.every(({ stream, at }) => stream === "pull" && at.seconds > 0)).toBe(true);
});
