import type Docker from "dockerode";
import { messageOf } from "../core/errors.ts";
import type { LogFrame } from "../core/log-frames.ts";
import { dialStream } from "./dial.ts";
import { engineCall } from "./docker-call.ts";
import { HostUnreachable, type LogRequest } from "./host.ts";
import { demultiplex, sinceText } from "./log-lines.ts";

const OPEN_MS = 15_000;

/** What a manager says, without a time, in place of a log that it cannot get from the node. */
const NO_LOG = "a frame has no time";

/**
 * The log of a container or of a service, as the engine gives it.
 *
 * @param path Of the engine's API: `/services/ID`. A followed log of a service never ends by itself.
 */
export async function* framesAt(
  docker: Docker,
  name: string,
  path: string,
  request: LogRequest,
): AsyncGenerator<LogFrame[]> {
  const what = `${name}: read log`;
  // dockerode's `logs` holds a log that is not followed whole in memory; a dialled stream does not.
  const stream = await engineCall(
    what,
    OPEN_MS,
    () =>
      dialStream(docker, {
        path: `${path}/logs?`,
        options: {
          follow: request.follow,
          stdout: true,
          stderr: true,
          timestamps: true,
          ...(request.since === null ? {} : { since: sinceText(request.since) }),
        },
        abortSignal: request.signal,
      }),
    request.signal,
  );
  try {
    yield* demultiplex(stream);
  } catch (error) {
    if (request.signal.aborted) throw new HostUnreachable(`${what}: given up`);
    const words = messageOf(error);
    throw new HostUnreachable(
      `${what}: ${words.includes(NO_LOG) ? "the node that has it does not answer" : words}`,
      { cause: error },
    );
  } finally {
    stream.destroy();
  }
}
