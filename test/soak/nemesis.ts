import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import type { PrivatePostgres } from "../support/private-postgres.ts";
import type { SoakEngine } from "./engines.ts";
import type { Node } from "./nodes.ts";

/** Something that was broken for a while. Times are of the machine's clock. */
export interface Fault {
  target: string;
  what: string;
  beganAt: number;
  /** When it was whole again: a killed engine answers, a killed node listens. */
  endedAt: number;
}

interface Step {
  waitMs: number;
  /** Which of the targets, after a division. */
  pick: number;
  action: number;
  /** In thousandths of what the action allows. */
  lasts: number;
}

/** A way to break a target, for a while that is drawn from a range. */
interface Action {
  what: string;
  weight: number;
  lastsMs: readonly [min: number, max: number];
  breakIt(): Promise<unknown>;
  healIt(): Promise<unknown>;
}

interface Track {
  targets: { name: string; actions: Action[] }[];
  waitMs: readonly [min: number, max: number];
}

export interface NemesisDeps {
  seed: number;
  nodes: readonly Node[];
  engines: readonly SoakEngine[];
  postgres: PrivatePostgres;
  /** No new fault after this. */
  signal: AbortSignal;
  tell(words: string): void;
}

/**
 * Breaks nodes, engines and the store, each of these one at a time, until the signal, and heals what
 * it broke. What and when follows from the seed; how long a healing takes does not.
 *
 * @returns What was broken, when all of it is whole again.
 */
export async function runNemesis(deps: NemesisDeps): Promise<Fault[]> {
  const tracks = [nodesTrack(deps), enginesTrack(deps), storeTrack(deps)];
  const faults = await Promise.all(tracks.map((track, i) => runTrack(deps, track, i)));
  return faults.flat();
}

async function runTrack(deps: NemesisDeps, track: Track, number: number): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (const step of stepsOf(deps.seed * 10 + number, track)) {
    await delay(step.waitMs, undefined, { signal: deps.signal }).catch(() => {});
    if (deps.signal.aborted) break;
    const target = track.targets[step.pick % track.targets.length];
    const action = target === undefined ? undefined : pickAction(target.actions, step.action);
    if (target === undefined || action === undefined) break;
    const [min, max] = action.lastsMs;
    const lastsMs = Math.round(min + ((max - min) * step.lasts) / 1_000);
    const beganAt = Date.now();
    deps.tell(`${target.name}: ${action.what}, for ${(lastsMs / 1_000).toFixed(1)} s`);
    await action.breakIt();
    await delay(lastsMs);
    await action.healIt();
    const endedAt = Date.now();
    deps.tell(`${target.name}: whole again after ${((endedAt - beganAt) / 1_000).toFixed(1)} s`);
    faults.push({ target: target.name, what: action.what, beganAt, endedAt });
  }
  return faults;
}

function stepsOf(seed: number, { waitMs: [min, max] }: Track): Step[] {
  const step = fc.record({
    waitMs: fc.integer({ min, max }),
    pick: fc.nat(59),
    action: fc.nat(999),
    lasts: fc.nat(1_000),
  });
  return fc.sample(fc.noBias(step), { seed, numRuns: 1_000 });
}

function pickAction(actions: readonly Action[], drawn: number): Action | undefined {
  const all = actions.reduce((sum, { weight }) => sum + weight, 0);
  let left = (drawn / 1_000) * all;
  return actions.find(({ weight }) => {
    left -= weight;
    return left < 0;
  });
}

function nodesTrack({ nodes }: NemesisDeps): Track {
  const targets = nodes.map((node) => ({
    name: node.name,
    actions: [
      {
        what: "SIGKILL",
        weight: 4,
        lastsMs: [0, 6_000],
        breakIt: () => node.end("SIGKILL"),
        healIt: () => node.start(),
      },
      {
        what: "SIGTERM",
        weight: 2,
        lastsMs: [0, 3_000],
        breakIt: () => node.end("SIGTERM"),
        healIt: () => node.start(),
      },
      {
        what: "SIGSTOP",
        weight: 2,
        lastsMs: [15_000, 15_000],
        breakIt: async () => node.signal("SIGSTOP"),
        healIt: async () => node.signal("SIGCONT"),
      },
    ] satisfies Action[],
  }));
  return { targets, waitMs: [3_000, 12_000] };
}

/** What a killed engine is told by, for those who explain a lost host. */
export const ENGINE_KILLED = "dockerd SIGKILL";

function enginesTrack({ engines }: NemesisDeps): Track {
  const targets = engines.map(({ name, engine, network }) => ({
    name,
    actions: [
      {
        what: ENGINE_KILLED,
        weight: 3,
        lastsMs: [1_000, 8_000],
        breakIt: () => engine.kill("SIGKILL"),
        healIt: () => engine.start(),
      },
      {
        what: "dockerd SIGSTOP",
        weight: 1,
        lastsMs: [1_000, 12_000],
        breakIt: () => engine.pause(),
        healIt: () => engine.resume(),
      },
      ...(network === null
        ? []
        : [
            {
              what: "network cut",
              weight: 2,
              lastsMs: [1_000, 20_000] as const,
              breakIt: () => network.cut(),
              healIt: () => network.heal(),
            },
            {
              what: "network refuses",
              weight: 1,
              lastsMs: [1_000, 8_000] as const,
              breakIt: () => network.refuse(),
              healIt: () => network.heal(),
            },
          ]),
    ] satisfies Action[],
  }));
  return { targets, waitMs: [3_000, 12_000] };
}

function storeTrack({ postgres }: NemesisDeps): Track {
  const restart = (mode: "fast" | "immediate", weight: number) => ({
    what: `Postgres restart, ${mode}`,
    weight,
    lastsMs: [0, 3_000] as const,
    breakIt: () => postgres.halt(mode),
    healIt: () => postgres.restart(mode),
  });
  const actions: Action[] = [
    restart("fast", 2),
    restart("immediate", 2),
    {
      what: "Postgres SIGSTOP",
      weight: 1,
      lastsMs: [1_000, 6_000],
      breakIt: () => postgres.pause(),
      healIt: () => postgres.resume(),
    },
  ];
  return { targets: [{ name: "store", actions }], waitMs: [20_000, 45_000] };
}
