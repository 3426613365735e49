import type { FailureCause } from "../core/status.ts";
import type { ContainerState, OutputEnds } from "../farm/host.ts";

export interface Started {
  kind: "started";
  containerId: string;
  isAdopted: boolean;
  /** It was found ended. */
  wasOver: boolean;
  /** How many frames of the execution's log were stored before the container's first one. */
  logBase: number;
  output: OutputEnds | null;
}

/** What became of the attempt to have an execution's container started. */
export type Outcome =
  | Started
  /** It cannot be: the execution has failed. `container` is left over from it. */
  | { kind: "failed"; cause: FailureCause; message: string; container: string | null }
  /** Not now, by no fault of the job. */
  | { kind: "put back"; message: string; isOfHost: boolean }
  /** The execution has ended, or is another's by now. */
  | { kind: "not ours"; container: string | null };

/** It was started just now. */
export function begun(containerId: string, logBase: number): Started {
  return { kind: "started", containerId, isAdopted: false, wasOver: false, logBase, output: null };
}

/** It was found, started by another run. */
export function adoptedOf({ id, phase }: ContainerState, logBase: number): Started {
  const wasOver = phase === "ended";
  return { kind: "started", containerId: id, isAdopted: true, wasOver, logBase, output: null };
}

export function failed(cause: FailureCause, message: string): Outcome & { kind: "failed" } {
  return { kind: "failed", cause, message, container: null };
}
