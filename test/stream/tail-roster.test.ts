import { expect, test } from "bun:test";
import type { TailedRow } from "../../src/store/tailed.ts";
import { createTailMember, type TailFilter } from "../../src/stream/tail-reader.ts";
import { createTailRoster } from "../../src/stream/tail-roster.ts";

const ALL: TailFilter = { task: null, hosts: null, matches: [], streams: ["stdout"] };

function row(id: string, keys: Partial<TailedRow> = {}): TailedRow {
  const where = { host: "h", logDay: "2030-03-29" };
  return { id, taskId: "t", jobId: "j", ...where, status: "running", finishedAt: null, ...keys };
}

/** A roster with one reader, who came at second 100 when these were on hosts. */
function rosterWith(filter: Partial<TailFilter>, ...rows: TailedRow[]) {
  const roster = createTailRoster(() => true);
  const member = createTailMember({ ...ALL, ...filter }, roster.leave);
  roster.seeAll(rows);
  roster.admit(member, { rows: rows.map((one) => ({ ...one, logEnd: 7 })), at: 100 });
  const places = () => Object.fromEntries([...roster.feeds].map(([id, { after }]) => [id, after]));
  return { roster, member, places };
}

test("what was there is followed from where it was, what comes later from its beginning", () => {
  const { roster, places } = rosterWith({}, row("early"));

  roster.seeAll([row("early"), row("late")]);

  expect(places()).toEqual({ early: 7, late: 0 });
});

test("an execution that was over before anybody saw it is told if it ended since the reader came", () => {
  const { roster, places } = rosterWith({});

  roster.hear({ about: "log", executions: ["short"] });
  roster.hear({ about: "ended", executions: ["short", "before"] });
  const asked = [...roster.asked];
  roster.see(row("short", { status: "done", finishedAt: 100.2 }));
  roster.see(row("before", { status: "done", finishedAt: 99.9 }));
  roster.see(row("never begun", { status: "expired", finishedAt: 100.3, host: null }));

  expect(asked).toEqual(["short", "before"]);
  expect(places()).toEqual({ short: 0 });
  expect(roster.feeds.get("short")?.ended).toBe("done");
});

test("a late word of what has been told to its end tells it no second time", () => {
  const { roster, places } = rosterWith({}, row("early"));
  const feed = roster.feeds.get("early");
  if (feed !== undefined) roster.end(feed);
  roster.asked.clear();

  roster.hear({ about: "ended", executions: ["early"] });
  roster.see(row("early", { status: "done", finishedAt: 101 }));

  expect([[...roster.asked], places()]).toEqual([[], {}]);
});

test("a word of what nobody wants is no reason to look", () => {
  const { roster } = rosterWith({ task: "other" }, row("early"));

  roster.hear({ about: "log", executions: ["early"] });

  expect([roster.asked.size, roster.unread.size]).toEqual([0, 0]);
});

test("an execution that is put back waits, and is told of no more when it goes to another host", () => {
  const { roster, places } = rosterWith({ hosts: ["h"] }, row("early"));

  roster.seeAll([]);
  roster.see(row("early", { status: "enqueued", host: null }));
  const meanwhile = places();
  roster.seeAll([row("early", { host: "elsewhere" })]);

  expect([meanwhile, places()]).toEqual([{ early: 7 }, {}]);
});

test("what nobody follows any more is not read", () => {
  const { member, places } = rosterWith({}, row("early"));

  member.reader.close();

  expect(places()).toEqual({});
});
