import type { LogStream } from "../core/log-streams.ts";
import type { Client } from "./client.ts";
import { ClientError } from "./client-error.ts";
import { type ClientFrame, type FrameGap, frameOf } from "./frames.ts";

export interface WrittenLogOptions {
  streams: readonly LogStream[];
  /** Only so many of the last lines; `undefined` is all. */
  tail?: number | undefined;
  /** As the server reads it: `10m`, UNIX seconds or ISO 8601. */
  since?: string | undefined;
}

const ALL: readonly LogStream[] = ["stdout", "stderr", "pull"];

/**
 * What has been written to an execution's log so far, in groups.
 *
 * @param path Of the execution, with a slash at its end.
 */
export async function* writtenLog(
  client: Client,
  path: string,
  { streams, tail, since }: WrittenLogOptions,
): AsyncGenerator<(ClientFrame | FrameGap)[]> {
  const query = { format: "ndjson", exact: true, stream: streams, tail, since };
  const response = await client.open(`${path}logs/`, { query });
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let rest = "";
  try {
    for await (const part of response.body ?? []) {
      const lines = (rest + decoder.decode(part, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      yield lines.map((line) => framed(client, line));
    }
  } catch (error) {
    if (error instanceof ClientError) throw error;
    throw new ClientError(`The connection to ${client.url} was broken off`, { cause: error });
  }
}

/** The number of the last frame that has been written; 0 where none has. */
export async function lastWritten(client: Client, path: string): Promise<number> {
  let last = 0;
  for await (const frames of writtenLog(client, path, { streams: ALL, tail: 1 })) {
    last = frames.at(-1)?.seq ?? last;
  }
  return last;
}

function framed(client: Client, line: string): ClientFrame | FrameGap {
  const frame = frameOf(line);
  if (frame !== null) return frame;
  throw new ClientError(`${client.url} does not speak fastlane's contract: a line of the log`);
}
