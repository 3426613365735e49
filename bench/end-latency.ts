import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import { containerNameOf } from "../src/farm/labels.ts";
import { type ExecutionJson, enqueue, getExecution } from "../test/support/client.ts";
import { createBare } from "./bare.ts";
import { type ContainerEvents, openContainerEvents } from "./container-events.ts";
import { type Spread, spreadOf } from "./statistics.ts";

export interface EndLatency {
  /** Milliseconds from a client first hearing of the exit to the first GET that reads `done`. */
  service: Spread;
  /** Milliseconds from the same moment to inspect and logs being read by dockerode. */
  bare: Spread;
  /**
   * The same two from the engine's answer to a wait. An engine tells of the exit by an event, then
   * takes the container's network away, and answers wait, inspect and logs only after that.
   */
  serviceFromWait: Spread;
  bareFromWait: Spread;
}

/** Moments by `performance.now()`. */
interface Exit {
  heardAt: number;
  waitedAt: number;
}

interface Sample {
  fromExit: number;
  fromWait: number;
}

const REST_MS = 100;
const WARM_UP = 3;
/** Long enough for the client to wait on the container before its end. */
const WORDS = ["sh", "-c", "echo out; sleep 0.3"];
const LOG = "out\n";

export async function measureEndLatency(
  docker: Docker,
  url: string,
  samples: number,
): Promise<EndLatency> {
  using events = await openContainerEvents(docker);
  const service: Sample[] = [];
  const bare: Sample[] = [];
  for (let sample = -WARM_UP; sample < samples; sample++) {
    await delay(REST_MS);
    const ofService = await serviceSample(docker, events, url);
    await delay(REST_MS);
    const ofBare = await bareSample(docker, events);
    if (sample < 0) continue;
    service.push(ofService);
    bare.push(ofBare);
  }
  return {
    service: spreadOf(service.map(({ fromExit }) => fromExit)),
    bare: spreadOf(bare.map(({ fromExit }) => fromExit)),
    serviceFromWait: spreadOf(service.map(({ fromWait }) => fromWait)),
    bareFromWait: spreadOf(bare.map(({ fromWait }) => fromWait)),
  };
}

async function serviceSample(
  docker: Docker,
  events: ContainerEvents,
  url: string,
): Promise<Sample> {
  const enqueued = await enqueue(url, "end", { command: WORDS });
  const name = containerNameOf(enqueued.executionId);
  await events.started(name);
  const exit = exitOf(docker.getContainer(name), events, name);
  // Not before the exit: the questions would take time from the service that it needs to see it.
  await exit.heard;
  let execution: ExecutionJson;
  do execution = await getExecution(enqueued);
  while (execution.status === "running");
  const readAt = performance.now();
  if (execution.status !== "done" || execution.log !== LOG) {
    throw new Error(`Execution ${enqueued.executionId} ended as ${Bun.inspect(execution)}`);
  }
  return sampleOf(await exit.whole, readAt);
}

async function bareSample(docker: Docker, events: ContainerEvents): Promise<Sample> {
  const container = await createBare(docker, WORDS);
  await container.start();
  const { Name: name } = await container.inspect();
  const exit = exitOf(container, events, name.slice(1));
  await exit.heard;
  const { State: state } = await container.inspect();
  const log = await container.logs({ stdout: true, stderr: true });
  const readAt = performance.now();
  if (state.Status !== "exited" || state.ExitCode !== 0 || !log.toString().endsWith(LOG)) {
    throw new Error(`A bare container ended as ${Bun.inspect(state)}`);
  }
  await container.remove({ v: true });
  return sampleOf(await exit.whole, readAt);
}

function sampleOf({ heardAt, waitedAt }: Exit, readAt: number): Sample {
  return { fromExit: readAt - heardAt, fromWait: readAt - waitedAt };
}

/** Heard of by the engine's event or by its answer to a wait, whichever comes first. */
function exitOf(
  container: Docker.Container,
  events: ContainerEvents,
  name: string,
): { heard: Promise<number>; whole: Promise<Exit> } {
  const waited = container.wait().then(() => performance.now());
  const heard = Promise.race([waited, events.died(name)]);
  const whole = Promise.all([heard, waited]).then(([heardAt, waitedAt]) => ({ heardAt, waitedAt }));
  return { heard, whole };
}
