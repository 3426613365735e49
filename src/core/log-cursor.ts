import { type Instant, nanosBetween } from "./log-frames.ts";

/** Where to go on reading a container's log, in terms that Docker knows. */
export interface LogPosition {
  /** Ask for frames from this moment on; `null` is the beginning. */
  since: Instant | null;
  /** How many of the frames that come then are stored already. */
  skip: number;
}

interface Checkpoint {
  at: Instant;
  framesBefore: number;
}

// Docker stamps stdout and stderr in two threads and writes under one lock: the file's times
// can cross by as long as a writer waits for that lock. A second is far beyond what it waits.
const MARGIN_NANOS = 1e9;
const CHECKPOINT_EVERY_NANOS = 2.5e8;

/**
 * Counts the frames of a container's log, so that a reader that lost its connection, or a new
 * owner after a crash, goes on exactly behind the last frame that was stored.
 *
 * Docker can only be asked for frames since a moment, inclusive; several frames share a moment
 * and neighbours may cross. So the cursor keeps moments that part the log cleanly (all before are
 * older, all after are not) and for each how many frames came before it.
 */
export class LogCursor {
  #count: number;
  #latest: Instant | null = null;
  #checkpoints: Checkpoint[] = [];
  /** Frames before the first pushed one may be newer than it: no moment near it parts the log. */
  readonly #startsInside: boolean;
  #first: Instant | null = null;

  /** @param framesBefore How many frames lie before the first one that will be pushed. */
  constructor(framesBefore = 0) {
    this.#count = framesBefore;
    this.#startsInside = framesBefore > 0;
  }

  /** How many frames lie behind the cursor. */
  get count(): number {
    return this.#count;
  }

  push(at: Instant): void {
    const last = this.#checkpoints.at(-1);
    // A frame older than a checkpoint shows that the checkpoint does not part the log cleanly.
    while (this.#checkpoints.length > 0 && isBefore(at, this.#checkpoints.at(-1)?.at)) {
      this.#checkpoints.pop();
    }
    this.#first ??= at;
    const isNewest = this.#latest === null || isBefore(this.#latest, at);
    const parts = isNewest && !(this.#startsInside && nanosBetween(this.#first, at) < MARGIN_NANOS);
    if (parts && (last === undefined || nanosBetween(last.at, at) >= CHECKPOINT_EVERY_NANOS)) {
      this.#checkpoints.push({ at, framesBefore: this.#count });
    }
    if (isNewest) this.#latest = at;
    this.#count += 1;
    this.#forgetOldCheckpoints();
  }

  position(): LogPosition {
    const checkpoint = this.#safeCheckpoint();
    if (checkpoint === undefined) return { since: null, skip: this.#count };
    return { since: checkpoint.at, skip: this.#count - checkpoint.framesBefore };
  }

  #safeCheckpoint(): Checkpoint | undefined {
    const latest = this.#latest;
    if (latest === null) return undefined;
    return this.#checkpoints.findLast(({ at }) => nanosBetween(at, latest) >= MARGIN_NANOS);
  }

  #forgetOldCheckpoints(): void {
    if (this.#checkpoints.length < 64) return;
    const safe = this.#safeCheckpoint();
    if (safe !== undefined)
      this.#checkpoints = this.#checkpoints.slice(this.#checkpoints.indexOf(safe));
  }
}

function isBefore(left: Instant, right: Instant | undefined): boolean {
  return right !== undefined && nanosBetween(right, left) < 0;
}
