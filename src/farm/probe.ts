import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import * as v from "valibot";
import { STRICTEST } from "../core/confinement.ts";
import { shortImageName } from "../core/image-reference.ts";
import { confinedBy } from "./container.ts";
import { dial } from "./dial.ts";
import { orNotFound } from "./docker-call.ts";
import { EngineRefusal, HostUnreachable } from "./host.ts";

const ENDS_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 100;

const names = v.nullish(v.array(v.string()), []);
const ListedImages = v.array(
  v.object({ Id: v.string(), Size: v.number(), RepoTags: names, RepoDigests: names }),
);
type ListedImage = v.InferOutput<typeof ListedImages>[number];

export async function imagesOf(docker: Docker, abortSignal: AbortSignal): Promise<ListedImage[]> {
  return v.parse(ListedImages, await dial(docker, { path: "/images/json", abortSignal }));
}

export function shortNamesOf(images: readonly ListedImage[]): string[] {
  const all = images.flatMap(({ RepoTags, RepoDigests }) => [...RepoTags, ...RepoDigests]);
  // The engine writes `<none>` for what has no name.
  return all.flatMap((name) => shortImageName(name) ?? []);
}

/** Makes one call to an engine under a deadline of its own. */
export type Call = <T>(
  what: string,
  run: (signal: AbortSignal) => Promise<T>,
  ms?: number,
) => Promise<T>;

/** Runs `true` in the smallest image at hand; without any image, only the engine's lists are read. */
export async function probeEngine(
  docker: Docker,
  call: Call,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  const images = await call("list images", (signal) => imagesOf(docker, signal));
  await call("list containers", (abortSignal) => docker.listContainers({ abortSignal }));
  const [smallest] = images.sort((left, right) => left.Size - right.Size);
  if (smallest === undefined) return;
  const probe = { image: smallest.Id, words: ["true"], labels };
  await runProbe(docker, call, probe, async () => {});
}

export interface Probe {
  image: string;
  words: string[];
  labels: Readonly<Record<string, string>>;
  /** Where what it writes goes; the engine's own way when absent. */
  logConfig?: { Type: string; Config: Record<string, string> };
}

/**
 * Runs a container without network, and takes it away again whatever becomes of it.
 *
 * @param look Sees the container when it has ended.
 * @returns What `look` gave; `null` where there is none, since the engine refused it.
 */
export async function runProbe<T>(
  docker: Docker,
  call: Call,
  { image, words, labels, logConfig }: Probe,
  look: (container: Docker.Container) => Promise<T>,
): Promise<T | null> {
  const container = await orRefused(
    call("create probe", (abortSignal) =>
      docker.createContainer({
        name: `fastlane-probe-${crypto.randomUUID()}`,
        Image: image,
        // One empty text takes away what the image begins with.
        Entrypoint: [""],
        Cmd: words,
        Labels: { ...labels },
        Tty: logConfig !== undefined,
        HostConfig: {
          NetworkMode: "none",
          ...confinedBy(STRICTEST),
          ...(logConfig === undefined ? {} : { LogConfig: logConfig }),
        },
        abortSignal,
      }),
    ),
  );
  if (container === null) return null;
  try {
    // An image without that program is refused by the runtime, which has done all that is asked of it.
    await orRefused(call("start probe", (abortSignal) => container.start({ abortSignal })));
    await untilEnded(container, call);
    return await look(container);
  } finally {
    // Whoever has taken it away before has done what is to be done.
    await orNotFound(
      call("remove probe", (abortSignal) =>
        container.remove({ force: true, v: true, abortSignal }),
      ),
    );
  }
}

/** `null` where the engine, or who stands before it, says no: that it answers is enough. */
async function orRefused<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof EngineRefusal) return null;
    throw error;
  }
}

async function untilEnded(container: Docker.Container, call: Call): Promise<void> {
  const deadline = performance.now() + ENDS_WITHIN_MS;
  for (;;) {
    const { State } = await call("inspect probe", (abortSignal) =>
      container.inspect({ abortSignal }),
    );
    if (!State.Running) return;
    if (performance.now() > deadline) throw new HostUnreachable("the probe does not end");
    await delay(LOOK_EVERY_MS);
  }
}
