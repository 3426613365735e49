import type Docker from "dockerode";
import * as v from "valibot";
import { messageOf } from "../core/errors.ts";
import { parseImageReference } from "../core/image-reference.ts";
import { dial } from "./dial.ts";
import { engineAnswer, toHostError } from "./docker-call.ts";
import {
  HostUnreachable,
  PullAborted,
  PullFailed,
  type PullFailure,
  type RegistryLogin,
} from "./host.ts";
import { jsonLines } from "./json-lines.ts";

/** A pull that has told of no progress for so long is given up. */
const STALLED_AFTER_MS = 120_000;

const Progress = v.object({
  error: v.optional(v.string()),
  errorDetail: v.optional(v.object({ message: v.optional(v.string()) })),
});

export interface PullRequest {
  image: string;
  login: RegistryLogin | null;
  signal: AbortSignal;
}

/**
 * Pulls an image. dockerode's `pull` is done when the pull begins, and its `followProgress` takes
 * an error in the stream for progress; so the stream is read here.
 */
export async function pullImage(
  docker: Docker,
  hostName: string,
  { image, login, signal: outer }: PullRequest,
): Promise<void> {
  const what = `${hostName}: pull "${image}"`;
  const reference = parseImageReference(image);
  if (reference === null) throw new PullFailed("image_not_found", `"${image}" is no image`);
  const stalled = new AbortController();
  const signal = AbortSignal.any([stalled.signal, outer]);
  const giveUp = setTimeout(() => stalled.abort(), STALLED_AFTER_MS);
  try {
    const authconfig = login === null ? {} : authOf(login);
    const stream = (await docker.createImage(authconfig, {
      fromImage: reference.repository,
      tag: reference.version,
      abortSignal: signal,
    })) as AsyncIterable<Uint8Array>;
    for await (const value of jsonLines(stream)) {
      giveUp.refresh();
      const progress = v.safeParse(Progress, value);
      if (!progress.success) continue;
      const message = progress.output.errorDetail?.message ?? progress.output.error;
      if (message !== undefined) throw new PullFailed(failureOf(500, message), message);
    }
  } catch (error) {
    if (error instanceof PullFailed) throw error;
    if (signal.aborted) throw new PullAborted(`${what}: no progress`);
    const answer = engineAnswer(error);
    if (answer === null) throw toHostError(what, error);
    throw new PullFailed(failureOf(answer.statusCode, answer.message), answer.message);
  } finally {
    clearTimeout(giveUp);
  }
  // A stream that was cut off ends like one that is complete; only the image itself can tell.
  try {
    await dial(docker, { path: `/images/${image}/json`, abortSignal: outer });
  } catch (error) {
    throw new HostUnreachable(`${what}: ended without the image: ${messageOf(error)}`);
  }
}

export const authOf = ({ registry, username, password }: RegistryLogin) => ({
  username,
  password,
  serveraddress: registry,
});

/**
 * The engine answers 404 for an image that is not there, and 500 for whatever else a registry may
 * have said: only the words tell a registry that is busy from one that refuses.
 */
export function failureOf(statusCode: number, message: string): PullFailure {
  if (/denied|unauthorized|authentication required|no basic auth/i.test(message)) {
    return "pull_denied";
  }
  if (statusCode === 404 || /manifest unknown|not found/i.test(message)) return "image_not_found";
  if (/toomanyrequests|too many requests|status(?: code)?:? (?:429|5\d\d)/i.test(message)) {
    return "registry_busy";
  }
  return "pull_failed";
}
