import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { cronTimes, isTimezone, localTime } from "../../src/core/cron.ts";
import { parseDuration } from "../../src/core/duration.ts";
import { type RetryRules, retryDelayMs } from "../../src/core/retry.ts";
import { type CatchUp, judgeTicks, nextTimes, type Schedule } from "../../src/core/schedule.ts";
import type { FailureCause } from "../../src/core/status.ts";
import { wordsOf } from "../../src/core/words.ts";

const BERLIN = "Europe/Berlin";
const NEW_YORK = "America/New_York";
const LORD_HOWE = "Australia/Lord_Howe";
const NOON = Date.parse("2026-06-01T12:00:00Z");
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The next times as the zone's clocks show them, without year and month. */
function shown(cron: string, timezone: string, from: string, count = 2): string {
  const times = nextTimes(cron, timezone, new Date(`2026-${from}`), count);
  return times.map((at) => localTime(at, timezone).slice("2026-03-".length)).join(" ");
}

describe("where the clock is put forward, a time that is left out", () => {
  // Berlin leaves out 02:00 to 03:00, New York too; Lord Howe 02:00 to 02:30, Havana 00:00 to 01:00.
  test.each([
    ["30 2 * * *", BERLIN, "03-29T00:00Z", "29T03:00:00+02:00 30T02:30:00+02:00"],
    ["15 30 2 * * *", BERLIN, "03-29T00:00Z", "29T03:00:00+02:00 30T02:30:15+02:00"],
    ["15,45 2 * * *", BERLIN, "03-29T00:00Z", "29T03:00:00+02:00 30T02:15:00+02:00"],
    ["30 2,3 * * *", BERLIN, "03-29T00:00Z", "29T03:00:00+02:00 29T03:30:00+02:00"],
    ["0 2,3 * * *", BERLIN, "03-29T00:00Z", "29T03:00:00+02:00 30T02:00:00+02:00"],
    ["30 2 * * *", NEW_YORK, "03-08T06:00Z", "08T03:00:00-04:00 09T02:30:00-04:00"],
    ["30 1,2 * * *", NEW_YORK, "03-08T06:00Z", "08T01:30:00-05:00 08T03:00:00-04:00"],
  ])("runs when the gap is over, once: %s in %s from %s", (cron, timezone, from, expected) => {
    expect(shown(cron, timezone, from)).toBe(expected);
  });

  test.each([
    ["0 * * * *", BERLIN, "03-29T00:00Z", "29T03:00:00+02:00 29T04:00:00+02:00"],
    ["*/30 * * * *", BERLIN, "03-29T00:00Z", "29T01:30:00+01:00 29T03:00:00+02:00"],
    ["*/30 2 * * *", BERLIN, "03-29T00:00Z", "30T02:00:00+02:00 30T02:30:00+02:00"],
    ["0 */2 * * *", BERLIN, "03-29T00:00Z", "29T04:00:00+02:00 29T06:00:00+02:00"],
    ["30 * * * *", NEW_YORK, "03-08T06:00Z", "08T01:30:00-05:00 08T03:30:00-04:00"],
  ])("is left out by what runs on and on: %s in %s from %s", (cron, timezone, from, expected) => {
    expect(shown(cron, timezone, from)).toBe(expected);
  });

  test.each([
    ["15 2 * * *", LORD_HOWE, "10-03T15:00Z", "04T02:30:00+11:00"],
    ["*/15 2 * * *", LORD_HOWE, "10-03T15:00Z", "04T02:30:00+11:00"],
    ["0 0 * * *", "America/Havana", "03-07T12:00Z", "08T01:00:00-04:00"],
    ["* * * * * *", BERLIN, "03-29T00:59:59.5Z", "29T03:00:00+02:00"],
  ])("is right where the gap is another: %s in %s from %s", (cron, timezone, from, expected) => {
    expect(shown(cron, timezone, from, 1)).toBe(expected);
  });
});

describe("where the clock is put back, a time that comes twice", () => {
  // Berlin shows 02:00 to 03:00 twice, New York 01:00 to 02:00, Lord Howe 01:30 to 02:00.
  test.each([
    ["30 2 * * *", BERLIN, "10-24T23:50Z", "25T02:30:00+02:00 26T02:30:00+01:00"],
    ["30 2,3 * * *", BERLIN, "10-24T23:50Z", "25T02:30:00+02:00 25T03:30:00+01:00"],
    ["9 30 2 * * *", BERLIN, "10-24T23:50Z", "25T02:30:09+02:00 26T02:30:09+01:00"],
    ["15,45 2 * * *", BERLIN, "10-25T01:00Z", "26T02:15:00+01:00 26T02:45:00+01:00"],
    ["30 1 * * *", NEW_YORK, "11-01T04:50Z", "01T01:30:00-04:00 02T01:30:00-05:00"],
    ["30 1,2 * * *", NEW_YORK, "11-01T04:50Z", "01T01:30:00-04:00 01T02:30:00-05:00"],
    ["45 1 * * *", LORD_HOWE, "04-04T14:00Z", "05T01:45:00+11:00 06T01:45:00+10:30"],
    ["30 1 * * *", "Antarctica/Troll", "10-24T23:00Z", "25T01:30:00+02:00 26T01:30:00+00:00"],
  ])("runs at its first occurrence alone: %s in %s from %s", (cron, timezone, from, expected) => {
    expect(shown(cron, timezone, from)).toBe(expected);
  });

  test.each([
    ["0 * * * *", BERLIN, "10-24T23:50Z", "25T02:00:00+02:00 25T02:00:00+01:00"],
    ["30 */2 * * *", BERLIN, "10-24T23:50Z", "25T02:30:00+02:00 25T02:30:00+01:00"],
    ["*/30 2 * * *", BERLIN, "10-25T00:20Z", "25T02:30:00+02:00 25T02:00:00+01:00"],
    ["* * * * * *", BERLIN, "10-25T00:59:58Z", "25T02:59:59+02:00 25T02:00:00+01:00"],
    ["0 * * * *", NEW_YORK, "11-01T04:50Z", "01T01:00:00-04:00 01T01:00:00-05:00"],
    ["*/15 * * * *", LORD_HOWE, "04-04T14:40Z", "05T01:45:00+11:00 05T01:30:00+10:30"],
  ])(
    "is run both times by what runs on and on: %s in %s from %s",
    (cron, timezone, from, expected) => {
      expect(shown(cron, timezone, from)).toBe(expected);
    },
  );
});

test.each([
  ["0 0 29 2 *", "UTC", "2026-01-01T00:00Z", ["2028-02-29", "2032-02-29"]],
  ["0 0 29 2 *", BERLIN, "2096-03-01T00:00Z", ["2104-02-29", "2108-02-29"]],
  ["0 0 L * *", "UTC", "2028-02-01T00:00Z", ["2028-02-29", "2028-03-31"]],
  ["0 0 13 * FRI", "UTC", "2026-01-01T00:00Z", ["2026-01-02", "2026-01-09"]],
  ["0 0 * * 7", "UTC", "2026-01-01T00:00Z", ["2026-01-04", "2026-01-11"]],
  ["  0 0\t1  1 * ", "UTC", "2026-01-01T00:00Z", ["2027-01-01", "2028-01-01"]],
])("%j in %s falls from %s on %j", (cron, timezone, from, days) => {
  const times = nextTimes(cron, timezone, new Date(from), 2);

  expect(times.map((at) => localTime(at, timezone))).toEqual(
    days.map((day) => expect.stringContaining(`${day}T00:00:00`)),
  );
});

test.each(["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *"])("%s never comes", (cron) => {
  expect(cronTimes(cron, "UTC").next(new Date("2026-01-01T00:00Z"))).toBeNull();
  expect(nextTimes(cron, "UTC", new Date("2026-01-01T00:00Z"), 10)).toEqual([]);
});

test.each(
  [
    ["", "* * * *", "* * * * * * *", "@reboot", "@daily", "2026-03-29T03:00:00", "H * * * *"],
    ["61 * * * *", "60 * * * * *", "* 24 * * *", "0 0 0 * *", "0 0 32 * *", "0 0 * 13 *"],
    ["0 0 * * 8", "22-2 * * * *", "*/0 * * * *", "*/100 * * * *", "5/15 * * * *"],
    ["1,,2 * * * *", "1.5 * * * *", "* * * * * 2026-01-01T00:00:00"],
  ].flat(),
)("the expression %j is refused", (cron) => {
  expect(() => cronTimes(cron, "UTC")).toThrow();
});

test.each(["UTC", BERLIN, "Asia/Kathmandu"])("%j is a time zone", (name) => {
  expect(isTimezone(name)).toBe(true);
  expect(cronTimes("0 0 * * *", name).next(new Date(NOON))).toBeInstanceOf(Date);
});

test.each(["+01:00", "-05", "Berlin", "Mars/Base", ""])("%j is no time zone", (name) => {
  expect(isTimezone(name)).toBe(false);
  expect(() => cronTimes("0 0 * * *", name)).toThrow();
});

test.each([
  ["2026-03-29T00:59:59.999Z", BERLIN, "2026-03-29T01:59:59+01:00"],
  ["2026-03-29T01:00:00Z", BERLIN, "2026-03-29T03:00:00+02:00"],
  ["2026-10-25T00:30:00Z", BERLIN, "2026-10-25T02:30:00+02:00"],
  ["2026-10-25T01:30:00Z", BERLIN, "2026-10-25T02:30:00+01:00"],
  ["2026-01-01T04:59:59Z", NEW_YORK, "2025-12-31T23:59:59-05:00"],
  ["2026-01-01T00:00:00Z", "America/St_Johns", "2025-12-31T20:30:00-03:30"],
  ["2026-07-01T00:00:00Z", "Asia/Kathmandu", "2026-07-01T05:45:00+05:45"],
  ["2026-07-01T10:00:00Z", "Pacific/Kiritimati", "2026-07-02T00:00:00+14:00"],
  ["2028-02-29T00:00:00Z", "UTC", "2028-02-29T00:00:00+00:00"],
])("%s is in %s %s", (at, timezone, local) => {
  expect(localTime(new Date(at), timezone)).toBe(local);
});

const EACH_MINUTE: Schedule = { cron: "* * * * *", timezone: "UTC", catchUp: "none" };

function judged(schedule: Schedule, nextAt: number, now: number, most?: number) {
  const { ticks, nextAt: left } = judgeTicks(schedule, new Date(nextAt), new Date(now), most);
  return {
    ticks: ticks
      .map(({ at, verdict }) => `${(at.getTime() - NOON) / MINUTE} ${verdict}`)
      .join(", "),
    left: left === null ? null : (left.getTime() - NOON) / MINUTE,
  };
}

test.each<[string, CatchUp, number, string, number]>([
  ["1 ms too early", "all", -1, "", 0],
  ["an hour too early, since the clock was put back", "all", -HOUR, "", 0],
  ["on time", "none", 0, "0 run", 1],
  ["30 s late", "none", 30 * SECOND, "0 run", 1],
  ["31 s late", "none", 31 * SECOND, "0 missed", 1],
  ["31 s late", "last", 31 * SECOND, "0 catch up", 1],
  ["90 s late", "none", 90 * SECOND, "0 missed, 1 run", 2],
  ["90 s late", "last", 90 * SECOND, "0 missed, 1 run", 2],
  ["90 s late", "all", 90 * SECOND, "0 catch up, 1 run", 2],
  ["100 s late", "none", 100 * SECOND, "0 missed, 1 missed", 2],
  ["100 s late", "last", 100 * SECOND, "0 missed, 1 catch up", 2],
  ["100 s late", "all", 100 * SECOND, "0 catch up, 1 catch up", 2],
])(
  "looked at %s, with catchUp %s, each tick has its own verdict",
  (_, catchUp, late, ticks, left) => {
    expect(judged({ ...EACH_MINUTE, catchUp }, NOON, NOON + late)).toEqual({ ticks, left });
  },
);

test.each<[CatchUp, string, string]>([
  ["none", "missed", "missed"],
  ["last", "missed", "catch up"],
  ["all", "catch up", "catch up"],
])("a clock put forward by an hour leaves no tick out, with catchUp %s", (catchUp, each, last) => {
  const { ticks, left } = judged({ ...EACH_MINUTE, catchUp }, NOON, NOON + HOUR - 15 * SECOND);

  const expected = Array.from({ length: 60 }, (_, at) => `${at} ${at < 59 ? each : last}`);
  expect(ticks).toBe(expected.join(", "));
  expect(left).toBe(60);
});

test("of more than `most` that are due the rest is left for the next call", () => {
  const schedule: Schedule = { ...EACH_MINUTE, catchUp: "last" };
  const now = NOON + 2.6 * MINUTE;

  const first = judged(schedule, NOON, now, 2);
  const second = judged(schedule, NOON + 2 * MINUTE, now, 2);

  expect(first).toEqual({ ticks: "0 missed, 1 missed", left: 2 });
  expect(second).toEqual({ ticks: "2 catch up", left: 3 });
  expect(judged(schedule, NOON, NOON + 10 * HOUR).left).toBe(200);
});

test.each([
  [0, "0 run"],
  [31 * SECOND, "0 catch up"],
  [1_000 * HOUR, "0 catch up"],
])("a schedule of one moment is never dropped: %p ms late it is %j", (late, ticks) => {
  const schedule: Schedule = { cron: null, timezone: "UTC", catchUp: "none" };

  expect(judged(schedule, NOON, NOON + late)).toEqual({ ticks, left: null });
});

test("a reason says how late it was and by what rule", () => {
  const late = (catchUp: CatchUp) =>
    judgeTicks(
      { ...EACH_MINUTE, catchUp },
      new Date(NOON),
      new Date(NOON + 100 * SECOND),
    ).ticks.map(({ reason }) => reason);

  expect(late("none")[0]).toBe(
    'Nobody could fire it until 100.0 s after its time: catchUp is "none"',
  );
  expect(late("last")).toEqual([
    'Nobody could fire it until 100.0 s after its time: catchUp is "last", and a later tick is due',
    "Caught up 40.0 s after its time: nobody could fire it before",
  ]);
});

const anySchedule = fc.record({
  cron: fc.constantFrom("* * * * *", "*/7 * * * *", "30 2,3 * * *", "0 */2 * * *", "9 30 2 * * *"),
  timezone: fc.constantFrom(BERLIN, NEW_YORK, LORD_HOWE, "UTC"),
  catchUp: fc.constantFrom<CatchUp>("none", "last", "all"),
});
const aroundAChange = fc
  .constantFrom("03-08T05:00Z", "03-29T00:00Z", "04-04T14:00Z", "10-25T00:00Z")
  .map((text) => new Date(`2026-${text}`));
const jumps = fc.array(fc.integer({ min: -3 * HOUR, max: 6 * HOUR }), { maxLength: 12 });
const most = fc.integer({ min: 1, max: 50 });

test("whatever the clock does, each tick up to its highest is judged once, in order", () => {
  fc.assert(
    fc.property(anySchedule, aroundAChange, jumps, most, (schedule, from, looks, atOnce) => {
      const found: Date[] = [];
      let nextAt = cronTimes(schedule.cron, schedule.timezone).next(from);
      for (const jump of looks) {
        const now = new Date(from.getTime() + jump);
        for (let due = 1; due > 0 && nextAt !== null; ) {
          const turn: ReturnType<typeof judgeTicks> = judgeTicks(schedule, nextAt, now, atOnce);
          found.push(...turn.ticks.map(({ at }) => at));
          nextAt = turn.nextAt;
          due = turn.ticks.length;
        }
      }

      const highest = from.getTime() + Math.max(0, ...looks);
      const all = nextTimes(schedule.cron, schedule.timezone, from, 6 * 60 + 1);
      expect(found).toEqual(all.filter((at) => at.getTime() <= highest));
      expect(found.every((at, index) => index === 0 || at > (found[index - 1] ?? at))).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test.each([
  ["2h30m50s", 9_050_000],
  ["10s", 10_000],
  ["2m30s", 150_000],
  ["240h", 864_000_000],
  ["1h5s", 3_605_000],
  ["90m", 5_400_000],
  ["0s", 0],
])("the duration %j is %p ms", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(["", "5", "5d", "1.5h", "-5s", "5s3m", "5 s", "5S", "5s\n", "12345678h"])(
  "%j is no duration",
  (text) => {
    expect(parseDuration(text)).toBeNull();
  },
);

const RETRY: RetryRules = {
  retries: 2,
  backoff: { minMs: 1_000, factor: 3, maxMs: 5_000, jitter: false },
  retryOn: null,
};
const TIMED_OUT = { status: "timedout", exitCode: null, failureCause: "timeout" } as const;
const failed = (exitCode: number | null, failureCause: FailureCause = "exit_code") =>
  ({ status: "failed", exitCode, failureCause }) as const;

test.each<[string, Partial<RetryRules>, Parameters<typeof retryDelayMs>[1], number, number | null]>(
  [
    ["a first failure", {}, failed(7), 0, 1_000],
    ["a second failure", {}, failed(7), 1, 3_000],
    ["a failure when no retry is left", {}, failed(7), 2, null],
    ["a failure far on", { retries: 9 }, failed(7), 8, 5_000],
    ["a failure with jitter", { backoff: { ...RETRY.backoff, jitter: true } }, failed(7), 0, 750],
    ["a failure when none is asked for", { retries: 0 }, failed(7), 0, null],
    ["a code of retryOn", { retryOn: [7] }, failed(7), 0, 1_000],
    ["a code that is not of retryOn", { retryOn: [7] }, failed(8), 0, null],
    ["a lack of memory", {}, failed(137, "oom_killed"), 0, 1_000],
    ["a timeout", {}, TIMED_OUT, 0, 1_000],
    ["a timeout and a retryOn", { retryOn: [7] }, TIMED_OUT, 0, null],
    ["an image that is not there", {}, failed(null, "image_not_found"), 0, null],
    ["a host that is lost", {}, failed(null, "host_lost"), 0, null],
    ["a stop", {}, { status: "stopped", exitCode: 137, failureCause: "stopped" }, 0, null],
    ["a good end", {}, { status: "done", exitCode: 0, failureCause: null }, 0, null],
  ],
)("after %s, with %j, the wait of %j as number %p is %p ms", (_, rules, end, retry, ms) => {
  expect(retryDelayMs({ ...RETRY, ...rules }, end, retry, 0.5)).toBe(ms);
});

test.each([
  ["nightly-report_v2.tar", ["nightly", "report", "v2", "tar"]],
  ["Nightly NIGHTLY nightly", ["nightly"]],
  ["ÜBER-größe", ["über", "größe"]],
  ["caf\u0065\u0301 caf\u00e9", ["café"]],
  ["Ｆｕｌｌ２", ["full2"]],
  ["日本語/タスク", ["日本語", "タスク"]],
  ["हिन्दी", ["हिन्दी"]],
  ["2026-03-29", ["2026", "03", "29"]],
  [" -_. ", []],
  ["", []],
])("the words of %j are %j", (text, words) => {
  expect(wordsOf(text)).toEqual(words);
});
