import { messageOf } from "../core/errors.ts";
import type { HostAccess } from "../core/host-access.ts";
import { managerOf } from "../core/swarm-name.ts";
import { type EngineLook, lookAtEngine } from "../farm/engine-look.ts";
import { EngineRefusal } from "../farm/host.ts";
import { swarmHost } from "../farm/swarm-host.ts";
import { medianOf, timeText } from "./amounts.ts";
import { checkCanary } from "./canary.ts";
import { judgeClock } from "./clock.ts";
import type { Database } from "./database.ts";
import { judgeApi, judgeEngine, judgeRuntimes } from "./engine.ts";
import type { Check, Tell } from "./finding.ts";
import { checkContainers, checkDiskUse } from "./host-contents.ts";

const WITHIN_MS = 40_000;
const QUESTIONS = 5;
const SLOW_MS = 500;

export interface HostDeps {
  name: string;
  access: HostAccess | undefined;
  database: Database | null;
  /** Whose the containers are; `null` where the database cannot tell. */
  installation: Promise<string | null>;
  withCanary: boolean;
  /** Those that pools name for their containers there. */
  runtimes: readonly string[];
}

/** Whether an engine is there, is one that fastlane can use, and can run a container. */
export function hostCheck(deps: HostDeps): Check {
  const { name, access } = deps;
  return {
    subject: `host ${name}`,
    withinMs: WITHIN_MS,
    async run(tell, signal) {
      const engine = lookAtEngine(name, access, signal);
      try {
        if (!(await reached(tell, engine, name, signal))) return;
        await describe(tell, engine, deps);
        if (managerOf(name) !== null) await checkSwarm(tell, engine, deps);
        await checkDiskUse(tell, engine);
        const installation = await deps.installation;
        await checkContainers(tell, engine, { ...deps, installation });
        // Where containers run a swarm decides: a manager may be told to run none.
        if (!deps.withCanary || managerOf(name) !== null) return;
        await checkCanary(tell, engine, { name, installation });
      } catch (error) {
        if (signal.aborted) return;
        tell.problem(
          `it answers one question and not the next: ${wordsOf(error, name)}`,
          "see the engine's log (journalctl -u docker), and whether its disk is full or the way to it broken",
        );
      } finally {
        engine.close();
      }
    },
  };
}

async function reached(
  tell: Tell,
  engine: EngineLook,
  name: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const version = await engine.version();
    const took: number[] = [];
    while (took.length < QUESTIONS) {
      const begin = performance.now();
      await engine.version();
      took.push(performance.now() - begin);
    }
    const message = `engine ${version.Version} (API ${version.ApiVersion}) answers within ${timeText(medianOf(took))}`;
    if (medianOf(took) < SLOW_MS) tell.ok(message);
    else
      tell.warning(
        `${message}, which is slow`,
        "see the way there, and what the engine is busy with",
      );
    judgeApi(tell, version);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    tell.problem(`it cannot be reached: ${wordsOf(error, name)}`, adviceToReach(name));
    return false;
  }
}

async function describe(
  tell: Tell,
  engine: EngineLook,
  { name, runtimes }: HostDeps,
): Promise<void> {
  const askedAt = Date.now();
  const description = await engine.describe();
  const answeredAt = Date.now();
  judgeEngine(tell, description, { isSwarm: managerOf(name) !== null });
  judgeRuntimes(tell, description, runtimes);
  const theirs = Date.parse(description.SystemTime);
  const harm = "logs have its times, and a log is followed by them";
  judgeClock(tell, "its clock", { theirs, askedAt, answeredAt }, harm);
}

async function checkSwarm(
  tell: Tell,
  engine: EngineLook,
  { name, access }: HostDeps,
): Promise<void> {
  const swarm = swarmHost(name, { access });
  try {
    await swarm.version();
  } catch (error) {
    tell.problem(wordsOf(error, name), "see docs/swarm.md for what a manager has to be");
    return;
  } finally {
    swarm.close();
  }
  const nodes = await engine.swarmNodes();
  const missing = nodes.filter(({ state }) => state !== "ready");
  for (const node of missing) {
    tell.warning(
      `the node ${node.name} of the swarm is ${node.state}`,
      "start its engine, or take it out by docker node rm",
    );
  }
  const able = nodes.filter(({ state, isActive }) => state === "ready" && isActive).length;
  if (able > 0) tell.ok(`${able} of the swarm's ${nodes.length} nodes can be given tasks`);
  else tell.problem("no node of the swarm can be given a task", "see docker node ls on a manager");
}

/** Without host and path: the subject tells of the one, and the other is of no interest. */
function wordsOf(error: unknown, name: string): string {
  if (error instanceof EngineRefusal) {
    return `it answers ${error.statusCode}, as no engine does${error.message === "" ? "" : `: ${error.message}`}`;
  }
  const words = messageOf(error);
  const bare = words.startsWith(`${name}: `) ? words.slice(name.length + 2) : words;
  return bare.replace(/^\/\S+: /, "");
}

function adviceToReach(name: string): string {
  const host = managerOf(name) ?? name;
  if (host.startsWith("unix://")) {
    return "start Docker there, and let this user use its socket (the group docker)";
  }
  if (host.startsWith("ssh://")) {
    return "see whether ssh leads there with that key and known_hosts file, as docs/configuration.md says";
  }
  return "see whether the machine runs, its engine listens at that port, and no firewall is in between";
}
