import type { Evidence } from "./evidence.ts";
import type { Facts, Finding, Invariant } from "./facts.ts";

/** Of each invariant that does not hold. */
const SHOWN_FINDINGS = 5;

export interface Row {
  invariant: Invariant;
  found: Finding[];
}

/** How much was done, and to what it was held up. */
export function summaryOf({ sent, told, runs, faults }: Facts, seconds: number): string {
  const outcomes = Map.groupBy(sent, ({ outcome }) => outcome);
  const ends = Map.groupBy(told, ({ status, failureCause }) => failureCause ?? status);
  const broken = Map.groupBy(faults, ({ what }) => what);
  const bytes = told.reduce((sum, { stdout, stderr }) => sum + stdout.length + stderr.length, 0);
  return [
    `${seconds.toFixed(0)} s: ${sent.length} jobs (${counts(outcomes)}),`,
    `${told.length} executions (${counts(ends)}),`,
    `${runs.length} containers started, ${(bytes / 1e6).toFixed(1)} MB of logs compared;`,
    `broken: ${counts(broken)}`,
  ].join("\n  ");
}

const counts = (groups: Map<string, readonly unknown[]>) =>
  [...groups].map(([name, all]) => `${all.length} ${name}`).join(", ");

/** Every invariant with what was found against it: nothing is allowed. */
export function tableOf(rows: readonly Row[]): string {
  const head = ["invariant", "found", "allowed", "ok"];
  const body = rows.map(({ invariant, found }) => [
    invariant.name,
    String(found.length),
    "0",
    found.length === 0 ? "yes" : "NO",
  ]);
  const widths = head.map((_, i) =>
    Math.max(...[head, ...body].map((cells) => cells[i]?.length ?? 0)),
  );
  return [head, ...body]
    .map((cells) =>
      cells
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** What was found, each with what is known of its execution. */
export function findingsOf(rows: readonly Row[], facts: Facts): string {
  return rows
    .filter(({ found }) => found.length > 0)
    .flatMap(({ invariant, found }) => [
      `\n${invariant.name}: ${found.length}`,
      ...found
        .slice(0, SHOWN_FINDINGS)
        .map(
          ({ words, executionId }) =>
            `- ${words}${executionId === undefined ? "" : `\n${storyOf(facts, executionId)}`}`,
        ),
      ...(found.length > SHOWN_FINDINGS ? [`- and ${found.length - SHOWN_FINDINGS} more`] : []),
    ])
    .join("\n");
}

/** All that is known of an execution, in the order of time. */
function storyOf(facts: Facts, executionId: string): string {
  const told = facts.told.find(({ id }) => id === executionId);
  const containers = new Set(facts.runsOf(executionId).map(({ container }) => container));
  const at = (moment: number) => new Date(moment).toISOString().slice(11, 23);
  const moments: { at: number; words: string }[] = [
    ...facts.reports
      .filter(({ container }) => containers.has(container))
      .map((r) => ({
        at: r.at,
        words: `container ${r.container}: ${r.what}, line ${r.lines}, exit code ${r.exitCode}`,
      })),
    ...facts.events
      .filter((event) => event.executionId === executionId)
      .map((e) => ({ at: e.at, words: `engine: ${e.what} ${e.containerId.slice(0, 12)}` })),
  ];
  const engines = new Set(
    facts
      .runsOf(executionId)
      .map(({ engine }) => engine)
      .concat(told?.engine ?? []),
  );
  const around = faultsAround(facts, told, engines);
  const lines = [...moments, ...around]
    .sort((left, right) => left.at - right.at)
    .map((moment) => `    ${at(moment.at)} ${moment.words}`);
  if (told === undefined) return lines.join("\n");
  const { status, failureCause, exitCode, engine, containerId, createdAt, finishedAt, words } =
    told;
  const until = finishedAt === null ? "" : `, finished ${at(finishedAt)}`;
  return [
    `    ${executionId}: ${status}, ${failureCause}, exit code ${exitCode}, "${words}"`,
    `    ${engine} ${containerId?.slice(0, 12)}, created ${at(createdAt)}${until}`,
    ...lines,
  ].join("\n");
}

function faultsAround(
  { faults }: Evidence,
  told: { createdAt: number; finishedAt: number | null } | undefined,
  engines: ReadonlySet<string>,
): { at: number; words: string }[] {
  if (told === undefined) return [];
  const until = (told.finishedAt ?? Infinity) + 5_000;
  return faults
    .filter(({ target }) => !target.startsWith("engine") || engines.has(target))
    .filter(({ beganAt, endedAt }) => endedAt >= told.createdAt && beganAt <= until)
    .flatMap(({ target, what, beganAt, endedAt }) => [
      { at: beganAt, words: `${target}: ${what}` },
      { at: endedAt, words: `${target}: whole again` },
    ]);
}
