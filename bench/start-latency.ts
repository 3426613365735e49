import { setTimeout as delay } from "node:timers/promises";
import { enqueue, untilEnded } from "../test/support/client.ts";
import { bareDocker, createBare } from "./bare.ts";
import type { EngineWatch } from "./engine-watch.ts";
import { type Spread, spreadOf } from "./statistics.ts";

export interface StartLatency {
  /** Milliseconds from the POST's answer to the engine being asked to start the container. */
  service: Spread;
  /** The same from the POST being sent. */
  serviceFromSending: Spread;
  /** Milliseconds from dockerode being asked to create a container to its start call: the floor. */
  bare: Spread;
}

/** Between two samples; the service is idle meanwhile. */
const REST_MS = 100;
const WARM_UP = 3;

export async function measureStartLatency(
  watch: EngineWatch,
  url: string,
  samples: number,
): Promise<StartLatency> {
  const docker = bareDocker(watch.socketPath);
  const fromAnswer: number[] = [];
  const fromSending: number[] = [];
  const bare: number[] = [];
  for (let sample = -WARM_UP; sample < samples; sample++) {
    await delay(REST_MS);
    const started = watch.nextStart();
    const sentAt = performance.now();
    const enqueued = await enqueue(url, "start", { command: "true" });
    const answeredAt = performance.now();
    const startedAt = await started;
    await untilEnded(enqueued);

    await delay(REST_MS);
    const bareMs = await bareCreateToStart(watch, docker);
    if (sample < 0) continue;
    fromAnswer.push(startedAt - answeredAt);
    fromSending.push(startedAt - sentAt);
    bare.push(bareMs);
  }
  return {
    service: spreadOf(fromAnswer),
    serviceFromSending: spreadOf(fromSending),
    bare: spreadOf(bare),
  };
}

async function bareCreateToStart(
  watch: EngineWatch,
  docker: ReturnType<typeof bareDocker>,
): Promise<number> {
  const started = watch.nextStart();
  const begunAt = performance.now();
  const container = await createBare(docker, ["true"]);
  await container.start();
  const startedAt = await started;
  await container.wait();
  await container.remove({ v: true });
  return startedAt - begunAt;
}
