import type { Host, Pool, StatusAnswer } from "../client/farm-answers.ts";
import { fromNow } from "../terminal/amounts.ts";
import { bar } from "../terminal/bar.ts";
import type { Paint } from "../terminal/colours.ts";
import { type Column, table } from "../terminal/table.ts";
import type { Screen } from "./screen.ts";

/** Every pool, how much of its limit is taken and what waits for the rest. */
export function poolTable(pools: readonly Pool[], screen: Screen): string {
  const { colours } = screen;
  const cells = screen.columns !== null && screen.columns < 80 ? 8 : 16;
  const columns: Column<Pool>[] = [
    { head: "POOL", of: ({ match }) => match || "(all tasks)", least: 10 },
    {
      head: "RUNNING",
      of: ({ running, maxRunning }) => bar(running, maxRunning, cells),
      paint: ({ running, maxRunning }) =>
        running >= maxRunning ? colours.yellow : running > 0 ? colours.green : colours.dim,
    },
    {
      head: "WAITING",
      of: ({ waiting }) => String(waiting),
      align: "right",
      paint: ({ waiting }) => (waiting > 0 ? colours.yellow : plain),
    },
    { head: "HOSTS", of: ({ hosts }) => String(hosts.length), align: "right" },
  ];
  return table(pools, columns, screen);
}

const plain: Paint = (text) => text;

/** Every host: whether it is given anything, and what is wrong where it is not. */
export function hostTable(hosts: readonly Host[], screen: Screen, isWhole: boolean): string {
  const { colours, now } = screen;
  const columns: Column<Host>[] = [
    { head: "HOST", of: ({ name }) => name, least: 16 },
    { head: "STATE", of: stateOf, paint: (host) => colours[colourOf(host)] },
    { head: "RUNNING", of: ({ running }) => String(running), align: "right" },
    {
      head: "BREAKER",
      of: ({ circuit }) => circuit,
      paint: ({ circuit }) => (circuit === "closed" ? plain : colours.red),
    },
    ...(isWhole
      ? ([
          { head: "ENGINE", of: ({ engineVersion }) => engineVersion ?? "-", leaveOut: 1 },
          { head: "OWNER", of: ({ lease }) => lease?.node ?? "-", least: 8, leaveOut: 2 },
          { head: "SEEN", of: ({ lastSeenAt }) => seenWords(lastSeenAt, now), leaveOut: 3 },
        ] satisfies Column<Host>[])
      : []),
  ];
  const wrong = hosts.filter(({ error }) => error !== null);
  const errorColumns: Column<Host>[] = [
    { head: "HOST", of: ({ name }) => name, least: 16 },
    {
      head: "WHAT IS WRONG",
      of: (host) => wrongWords(host, now),
      least: 20,
      paint: () => colours.red,
    },
  ];
  const errors = wrong.length === 0 ? "" : `\n${table(wrong, errorColumns, screen)}`;
  return table(hosts, columns, screen) + errors;
}

function stateOf({ blacklisted, drainDeadline, available, running }: Host): string {
  if (blacklisted) {
    if (drainDeadline !== null) return running > 0 ? "drains" : "drained";
    return "blacklisted";
  }
  return available ? "available" : "away";
}

function colourOf(host: Host): "green" | "red" | "yellow" {
  return host.blacklisted ? "yellow" : host.available ? "green" : "red";
}

function wrongWords({ error, failures, nextProbeAt }: Host, now: Date): string {
  const row = failures < 2 ? "" : `${failures} failures in a row, `;
  const probe = nextProbeAt === null ? "" : `probed ${fromNow(new Date(nextProbeAt), now)}: `;
  return row + probe + (error ?? "");
}

const seenWords = (at: string | null, now: Date) =>
  at === null ? "never" : fromNow(new Date(at), now);

/** What there is in all, and what waits to be done or told; in as many lines as it needs. */
export function countLines({ tasks, jobs, queues }: StatusAnswer, screen: Screen): string {
  const { dim, red } = screen.colours;
  const counts: [number, string, Paint][] = [
    [tasks.count, named(tasks.count, "task"), dim],
    [jobs.count, named(jobs.count, "job"), dim],
    [queues.monitor.length, "running", dim],
    [queues.jobs.length, "waiting", dim],
    [queues.scheduled.length, "scheduled", dim],
    ...unlessNone(queues.webhooks.length, "webhook", "to send", dim),
    ...unlessNone(queues.notify.length, "mail", "to send", dim),
    ...unlessNone(queues.error.length, "message", "given up", red),
  ];
  const columns = screen.columns ?? Number.POSITIVE_INFINITY;
  let lines = "";
  let width = 0;
  for (const [count, what, paint] of counts) {
    const size = `${count} ${what}`.length;
    const fits = width + GAP.length + size <= columns;
    if (width > 0) lines += fits ? GAP : "\n";
    width = width > 0 && fits ? width + GAP.length + size : size;
    lines += `${count} ${paint(what)}`;
  }
  return `${lines}\n`;
}

const GAP = "  ";

const named = (count: number, what: string) => (count === 1 ? what : `${what}s`);

const unlessNone = (
  count: number,
  what: string,
  end: string,
  paint: Paint,
): [number, string, Paint][] =>
  count === 0 ? [] : [[count, `${named(count, what)} ${end}`, paint]];

type Upcoming = StatusAnswer["jobs"]["scheduled"][number];

export function scheduleTable(upcoming: readonly Upcoming[], screen: Screen): string {
  const columns: Column<Upcoming>[] = [
    { head: "NEXT", of: ({ nextScheduledAt }) => fromNow(new Date(nextScheduledAt), screen.now) },
    { head: "TASK", of: ({ task }) => task.id, least: 12 },
    { head: "JOB", of: ({ id }) => (screen.columns === null ? id : id.slice(0, 8)) },
    { head: "AT", of: ({ nextScheduledAt }) => nextScheduledAt, leaveOut: 1 },
  ];
  return table(upcoming, columns, screen);
}
