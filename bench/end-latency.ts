import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import { containerNameOf } from "../src/farm/labels.ts";
import { type ExecutionJson, enqueue, getExecution } from "../test/support/client.ts";
import { createBare } from "./bare.ts";
import { type ContainerEvents, openContainerEvents } from "./container-events.ts";
import { type Spread, spreadOf } from "./statistics.ts";

export interface EndLatency {
  /** Milliseconds from a client hearing of the exit to the first GET that reads `done`. */
  service: Spread;
  /** Milliseconds from the same moment to inspect and logs being read by dockerode. */
  bare: Spread;
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
  const service: number[] = [];
  const bare: number[] = [];
  for (let sample = -WARM_UP; sample < samples; sample++) {
    await delay(REST_MS);
    const serviceMs = await serviceSample(docker, events, url);
    await delay(REST_MS);
    const bareMs = await bareSample(docker, events);
    if (sample < 0) continue;
    service.push(serviceMs);
    bare.push(bareMs);
  }
  return { service: spreadOf(service), bare: spreadOf(bare) };
}

async function serviceSample(
  docker: Docker,
  events: ContainerEvents,
  url: string,
): Promise<number> {
  const enqueued = await enqueue(url, "end", { command: WORDS });
  const name = containerNameOf(enqueued.executionId);
  await events.started(name);
  const exitedAt = await heardOfExit(docker.getContainer(name), events, name);
  let execution: ExecutionJson;
  do execution = await getExecution(enqueued);
  while (execution.status === "running");
  const readAt = performance.now();
  if (execution.status !== "done" || execution.log !== LOG) {
    throw new Error(`Execution ${enqueued.executionId} ended as ${Bun.inspect(execution)}`);
  }
  return readAt - exitedAt;
}

async function bareSample(docker: Docker, events: ContainerEvents): Promise<number> {
  const container = await createBare(docker, WORDS);
  await container.start();
  const { Name: name } = await container.inspect();
  const exitedAt = await heardOfExit(container, events, name.slice(1));
  const { State: state } = await container.inspect();
  const log = await container.logs({ stdout: true, stderr: true });
  const readAt = performance.now();
  if (state.ExitCode !== 0 || !log.toString().endsWith(LOG)) {
    throw new Error(`A bare container ended as ${Bun.inspect(state)}`);
  }
  await container.remove({ v: true });
  return readAt - exitedAt;
}

/** By the engine's event or by its answer to a wait, whichever comes first. */
async function heardOfExit(
  container: Docker.Container,
  events: ContainerEvents,
  name: string,
): Promise<number> {
  // The service may have removed the container before the wait was taken: then the event tells.
  const waited = container.wait().then(
    () => performance.now(),
    () => events.died(name),
  );
  return await Promise.race([waited, events.died(name)]);
}
