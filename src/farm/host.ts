import type { Confinement } from "../core/confinement.ts";
import type { Instant, LogFrame } from "../core/log-frames.ts";
import type { LogStream } from "../core/log-streams.ts";
import type { FailureCause } from "../core/status.ts";

/** What a container is made from. */
export interface ContainerSpec {
  /** Unique on the host: a second `create` under it is refused, so a name is made into one container. */
  name: string;
  image: string;
  words: readonly string[];
  envs: Readonly<Record<string, string>>;
  labels: Readonly<Record<string, string>>;
  cpus?: number | undefined;
  memoryBytes?: number | undefined;
  pids?: number | undefined;
  /** As `ORDINARY` when absent. */
  confinement?: Confinement;
  network?: string;
  user?: string;
  workdir?: string;
  /** `name:address`. */
  extraHosts?: readonly string[];
  /** For hosts that pull by themselves when they start it. */
  login?: RegistryLogin | null;
}

export interface RegistryLogin {
  /** Who it is for, as image references name it; nobody else is told of it. */
  registry: string;
  username: string;
  password: string;
}

export interface PullRequest {
  image: string;
  login: RegistryLogin | null;
  signal: AbortSignal;
  /** Told how the pull goes on, in lines of the stream `pull`. */
  onProgress(lines: LogFrame[]): void;
}

/** A container as the engine tells it by `inspect`, which alone can be believed after a crash. */
export interface ContainerState {
  id: string;
  labels: Readonly<Record<string, string>>;
  /**
   * `created` has never been started, and its process never began; `starting` was, and it is not
   * known to run yet; `ended` has run, and its process is gone.
   */
  phase: "created" | "starting" | "running" | "ended";
  /** `null` when nobody knows it any more. */
  exitCode: number | null;
  oomKilled: boolean;
  /** The engine's own words about a start that failed. */
  error: string;
  startedAt: Date | null;
  finishedAt: Date | null;
  /** Why it ended, where no process of it tells. */
  failure?: { cause: FailureCause; message: string };
  /** Whether the engine that ran it was down meanwhile, where the host knows better than its caller. */
  engineWasGone?: boolean;
}

/** Who waits for a start that takes long, as on a cluster that has to find a place first. */
export interface StartWait {
  /** The caller leaves: what was begun goes on. */
  signal: AbortSignal;
  /** It is not wanted any more: what has not begun is taken back. */
  unwanted: AbortSignal;
}

export interface ContainerSummary {
  id: string;
  labels: Readonly<Record<string, string>>;
  phase: ContainerState["phase"];
}

/** Knows how what a container writes ends, which its log does not tell for a very long line. */
export interface OutputEnds {
  /**
   * Whether the stream's last byte was a newline; `null` when it is not known. Asked when the
   * container has ended.
   */
  endedWithNewline(stream: LogStream): Promise<boolean | null>;
}

/** A container ended or was removed: a hint to look, never the truth about how. */
export interface ContainerEvent {
  containerId: string;
  executionId: string | null;
}

export interface LogRequest {
  /** Frames from this moment on, inclusive; `null` for all. */
  since: Instant | null;
  /** Stay until the container ends. The last unended line may be missing then (moby/moby#43860). */
  follow: boolean;
  signal: AbortSignal;
}

/**
 * One Docker endpoint. Every call has a deadline of its own; a stream lasts until its signal.
 *
 * @throws {HostUnreachable} From each, when the engine gives no answer or answers with a fault of
 *   its own; whether what was asked has been done is then unknown.
 * @throws {EngineRefusal} From each, when the engine says no to what was asked.
 */
export interface Host {
  readonly name: string;
  /** The same, whose calls are given up at the signal. */
  until(signal: AbortSignal): Host;
  /** The engine's version; proves that it answers. */
  version(): Promise<string>;
  /**
   * Has the engine pull an image. Those who want the same one at the same time share one pull.
   *
   * @throws {PullFailed} With the registry's words; {PullAborted} when it was given up.
   */
  pull(request: PullRequest): Promise<void>;
  /** @returns The container's id, or `null` when there is a container of that name already. */
  create(spec: ContainerSpec): Promise<string | null>;
  /** Follows what a created container will write. Nothing depends on it but the last newline. */
  watchOutput(containerId: string, signal: AbortSignal): Promise<OutputEnds>;
  /**
   * Only ever for a container in phase `created`: an ended one would run a second time; or in
   * phase `starting`, to wait until it runs.
   */
  start(containerId: string, wait?: StartWait): Promise<void>;
  /**
   * SIGTERM, and SIGKILL when that has not ended it in time. Resolves when it has ended; one that
   * is not there or does not run counts as stopped.
   */
  stop(containerId: string, graceSeconds: number): Promise<void>;
  /** By id or name; `null` when there is none. */
  inspect(container: string): Promise<ContainerState | null>;
  /**
   * Whether the engine went down after it had created or started the container, by what it
   * remembers; `null` when too much has happened on it since to tell.
   */
  restartedSince(act: "create" | "start", containerId: string): Promise<boolean | null>;
  /** The frames of a container's log, as they come in, some at a time. */
  logs(containerId: string, request: LogRequest): AsyncIterable<LogFrame[]>;
  /** A container that is not there counts as removed. Without `force` a running one is refused. */
  remove(containerId: string, options: { force: boolean }): Promise<void>;
  /** All containers with that label and value, running or not. */
  list(label: string, value: string): Promise<ContainerSummary[]>;
  /** The images at hand, by their short names with tag or digest. */
  images(): Promise<string[]>;
  /**
   * Shows whether containers can be run: by one that does nothing, where an image is at hand.
   *
   * @param labels What the container is known by, should it be left behind.
   */
  probe(labels: Readonly<Record<string, string>>): Promise<void>;
  /** Ends of containers with that label and value, from the moment that `onOpen` is called. */
  events(
    label: string,
    value: string,
    options: { signal: AbortSignal; onOpen(): void },
  ): AsyncIterable<ContainerEvent>;
  /** Ends the connection that calls share, where there is one; it is not to be called any more. */
  close(): void;
}

export class HostUnreachable extends Error {
  override readonly name = "HostUnreachable";
  /** The engine did answer, with a fault of its own (5xx). */
  readonly answered: boolean;
  /** The deadline of the call was over. */
  readonly isTimeout: boolean;

  constructor(
    message: string,
    options: { answered?: boolean; isTimeout?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.answered = options.answered ?? false;
    this.isTimeout = options.isTimeout ?? false;
  }
}

export class EngineRefusal extends Error {
  override readonly name = "EngineRefusal";
  /** The HTTP status of the engine's answer, 400 to 499. */
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** A pull was given up by who asked for it. */
export class PullAborted extends HostUnreachable {}

export type PullFailure = "image_not_found" | "pull_denied" | "pull_failed" | "registry_busy";

export class PullFailed extends Error {
  override readonly name = "PullFailed";
  /** `registry_busy` is no fault of the job: the registry answered 429 or 5xx, or nothing at all. */
  readonly failure: PullFailure;

  constructor(failure: PullFailure, message: string) {
    super(message);
    this.failure = failure;
  }
}
