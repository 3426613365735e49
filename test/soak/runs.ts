import type { Evidence } from "./evidence.ts";
import type { EngineEvent, Report } from "./witness.ts";

/** What one container did, by its own reports and by its engine's events. */
export interface Run {
  /** `null` when neither an event nor fastlane tells whose container it was. */
  executionId: string | null;
  task: string;
  engine: string;
  /** The beginning of its id. */
  container: string;
  /** How often a process was started in it. */
  starts: number;
  begin: Report | null;
  end: Report | null;
  /** By the engine; `null` when it told of none. */
  startedAt: number | null;
  diedAt: number | null;
}

interface Known {
  engine: string;
  container: string;
  reports: Report[];
  events: EngineEvent[];
}

const SHORT_ID = 12;

/** Each container of which a process was started. */
export function runsOf({ reports, events, told }: Evidence): Run[] {
  const containers = new Map<string, Known>();
  const at = (engine: string, container: string) => {
    const key = `${engine} ${container}`;
    const entry = containers.get(key) ?? { engine, container, reports: [], events: [] };
    containers.set(key, entry);
    return entry;
  };
  for (const report of reports) at(report.engine, report.container).reports.push(report);
  for (const event of events) {
    at(event.engine, event.containerId.slice(0, SHORT_ID)).events.push(event);
  }
  const owners = new Map(
    told.map(({ id, containerId }) => [containerId?.slice(0, SHORT_ID) ?? "", id]),
  );
  return [...containers.values()].flatMap((known) => {
    const { engine, container } = known;
    const begins = known.reports.filter(({ what }) => what === "begin");
    const started = known.events.filter(({ what }) => what === "start");
    const processes = new Set(known.reports.map(({ run }) => run));
    const starts = Math.max(processes.size, started.length);
    if (starts === 0) return [];
    const executionId = known.events[0]?.executionId ?? owners.get(container) ?? null;
    return {
      executionId,
      task: known.reports[0]?.task ?? told.find(({ id }) => id === executionId)?.task ?? "unknown",
      engine,
      container,
      starts,
      begin: begins[0] ?? null,
      end: known.reports.findLast(({ what }) => what === "end") ?? null,
      startedAt: started[0]?.at ?? null,
      diedAt: known.events.findLast(({ what }) => what === "die")?.at ?? null,
    };
  });
}

/** From the first to the last moment at which it is known to have run. */
export function spanOf(run: Run): { from: number; to: number } {
  const began = [run.begin?.at, run.startedAt, run.end?.at].filter((at) => at != null);
  const from = Math.min(...began);
  return { from, to: Math.max(from, run.end?.at ?? 0, run.diedAt ?? 0) };
}
