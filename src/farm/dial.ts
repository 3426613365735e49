import type { IncomingMessage } from "node:http";
import type Docker from "dockerode";

const OK = { 200: true, 201: true, 204: true };

export interface Dial {
  /** Ends with "?" when there are options. */
  path: string;
  options?: Record<string, unknown>;
  /** GET when absent. */
  method?: "GET" | "POST" | "DELETE";
  /** The login that the engine uses towards the image's registry. */
  authconfig?: { username: string; password: string; serveraddress: string };
  abortSignal: AbortSignal;
}

/** A request to the engine's API that dockerode has no call for, or none that can be aborted. */
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
    docker.modem.dial({ method: "GET", statusCodes: OK, ...request }, done);
  });
}
