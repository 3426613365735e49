import type Docker from "dockerode";
import * as v from "valibot";
import { messageOf } from "../core/errors.ts";
import { parseImageReference } from "../core/image-reference.ts";
import { dial } from "./dial.ts";
import { engineAnswer, engineCall, toHostError } from "./docker-call.ts";
import {
  HostUnreachable,
  PullAborted,
  PullFailed,
  type PullRequest,
  type RegistryLogin,
} from "./host.ts";
import { jsonLines } from "./json-lines.ts";
import { failureOf } from "./pull-failure.ts";
import { createPullLines } from "./pull-lines.ts";

/** A pull that has told of no progress for so long is given up. */
const STALLED_AFTER_MS = 120_000;
const LOOK_MS = 15_000;

const ErrorInStream = v.object({
  error: v.optional(v.string()),
  errorDetail: v.optional(v.object({ message: v.optional(v.string()) })),
});

/** Pulls an image, and tells of it line by line. */
export async function pullImage(
  docker: Docker,
  hostName: string,
  request: PullRequest,
  stalledAfterMs = STALLED_AFTER_MS,
): Promise<void> {
  const { image, signal, onProgress } = request;
  const lines = createPullLines();
  const onValue = (value: unknown) => {
    const fresh = lines.next(value);
    if (fresh.length > 0) onProgress(fresh);
  };
  try {
    await pullByEngine(docker, hostName, { ...request, onValue }, stalledAfterMs);
    onProgress(lines.end(null));
  } catch (error) {
    onProgress(lines.end(messageOf(error)));
    throw error;
  }
  // A stream that was cut off ends like one that is complete; only the image itself can tell.
  const what = `${hostName}: pull "${image}"`;
  const look = (abortSignal: AbortSignal) =>
    dial(docker, { path: `/images/${image}/json`, abortSignal });
  try {
    await engineCall(what, LOOK_MS, look, signal);
  } catch (error) {
    if (signal.aborted) throw new PullAborted(`${what}: given up`);
    throw new HostUnreachable(`${what}: ended without the image: ${messageOf(error)}`);
  }
}

/**
 * dockerode's `pull` is done when the pull begins, and its `followProgress` takes an error in the
 * stream for progress; so the stream is read here.
 */
async function pullByEngine(
  docker: Docker,
  hostName: string,
  request: PullRequest & { onValue(value: unknown): void },
  stalledAfterMs: number,
): Promise<void> {
  const { image, login, signal: outer, onValue } = request;
  const what = `${hostName}: pull "${image}"`;
  const reference = parseImageReference(image);
  if (reference === null) throw new PullFailed("image_not_found", `"${image}" is no image`);
  const stalled = new AbortController();
  const signal = AbortSignal.any([stalled.signal, outer]);
  const giveUp = setTimeout(() => stalled.abort(), stalledAfterMs);
  try {
    const authconfig = login === null ? {} : authOf(login);
    const stream = (await docker.createImage(authconfig, {
      fromImage: reference.repository,
      tag: reference.version,
      abortSignal: signal,
    })) as AsyncIterable<Uint8Array>;
    for await (const value of jsonLines(stream)) {
      giveUp.refresh();
      const { output, success } = v.safeParse(ErrorInStream, value);
      const message = success ? (output.errorDetail?.message ?? output.error) : undefined;
      if (message !== undefined) throw new PullFailed(failureOf(500, message), message);
      onValue(value);
    }
    if (signal.aborted) throw new PullAborted(`${what}: given up`);
  } catch (error) {
    if (error instanceof PullFailed) throw error;
    if (outer.aborted) throw new PullAborted(`${what}: given up`);
    if (stalled.signal.aborted) {
      const message = `The registry of "${image}" made no progress for ${stalledAfterMs / 1_000} s`;
      throw new PullFailed("registry_busy", message);
    }
    const answer = engineAnswer(error);
    if (answer === null) throw toHostError(what, error);
    throw new PullFailed(failureOf(answer.statusCode, answer.message), answer.message);
  } finally {
    clearTimeout(giveUp);
  }
}

export const authOf = ({ registry, username, password }: RegistryLogin) => ({
  username,
  password,
  serveraddress: registry,
});
