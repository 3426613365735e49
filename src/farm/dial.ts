import type { IncomingMessage } from "node:http";
import type Docker from "dockerode";

export interface Dial {
  /** Ends with "?" when there are options. */
  path: string;
  options?: Record<string, unknown>;
  abortSignal: AbortSignal;
}

/** A GET of the engine's API that dockerode has no call for, or none that can be aborted. */
export function dial(docker: Docker, request: Dial): Promise<unknown> {
  return dialled(docker, { ...request, isStream: false });
}

/** The same with the answer as a stream, which is the caller's to destroy. */
export function dialStream(docker: Docker, request: Dial): Promise<IncomingMessage> {
  return dialled(docker, { ...request, isStream: true }) as Promise<IncomingMessage>;
}

function dialled(docker: Docker, request: Dial & { isStream: boolean }): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const done = (error: unknown, result: unknown) => (error ? reject(error) : resolve(result));
    docker.modem.dial({ method: "GET", statusCodes: { 200: true }, ...request }, done);
  });
}
