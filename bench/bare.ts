import Docker from "dockerode";
import { createOptionsOf } from "../src/farm/container.ts";
import { containerNameOf, labelsOf } from "../src/farm/labels.ts";

/** dockerode as one would use it by hand: the yardstick of every figure. */
export function bareDocker(socketPath: string): Docker {
  return new Docker({ socketPath });
}

/**
 * A container with the options, the name and the labels that the service would give it, of an
 * installation that is nobody's.
 */
export async function createBare(
  docker: Docker,
  words: readonly string[],
): Promise<Docker.Container> {
  const execution = {
    id: crypto.randomUUID(),
    jobId: crypto.randomUUID(),
    taskId: "bare",
    placements: 1,
  };
  return await docker.createContainer(
    createOptionsOf({
      name: containerNameOf(execution.id),
      image: "busybox:latest",
      words,
      envs: {},
      labels: labelsOf("bench", "bare", execution),
    }),
  );
}

/** Create, start, wait, remove. @returns The exit code. */
export async function runBare(docker: Docker, words: readonly string[]): Promise<number> {
  const container = await createBare(docker, words);
  await container.start();
  const { StatusCode: exitCode } = await container.wait();
  await container.remove({ v: true });
  return exitCode;
}
