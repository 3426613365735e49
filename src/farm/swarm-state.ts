import type { ContainerState } from "./host.ts";
import type { NodeLook } from "./swarm-nodes.ts";
import type { Service, Task } from "./swarm-records.ts";
import { isStarted, isStopped } from "./swarm-spec.ts";

/** The states of a task that come before its process. */
const STARTING = new Set([
  ...["new", "allocated", "pending", "assigned", "accepted", "preparing", "ready", "starting"],
]);

/** Whether its process is not there yet, or runs. */
export const isActive = ({ Status }: Task) => STARTING.has(Status.State) || isRunning({ Status });

export const isRunning = ({ Status }: Pick<Task, "Status">) => Status.State === "running";

/** It was ended before it had a container: it was stopped, or its node was taken from it. */
export const isTakenAway = ({ Status: { State, ContainerStatus } }: Task) =>
  ["shutdown", "orphaned", "remove"].includes(State) && (ContainerStatus?.ContainerID ?? "") === "";

/** A task that failed keeps the message of the last thing that went well. */
function neverRan(task: Task): boolean {
  const { State, Message } = task.Status;
  return (
    State === "rejected" || (State === "failed" && Message === "starting") || isTakenAway(task)
  );
}

/** What is known of a task beyond what it tells. */
export interface Circumstances {
  node: NodeLook | null;
  /** The node was seen to be down while the task ran. */
  wasDown: boolean;
  /** When its process began: a task tells the time of its latest state alone. */
  startedAt: Date | null;
  /** A task on a node that is down for longer has ended. */
  hostLostAfterSeconds: number;
}

/** @param task The service's first one, once there is one: only that is ever run. */
export function stateOf(
  service: Service,
  task: Task | undefined,
  { node, wasDown, startedAt, hostLostAfterSeconds }: Circumstances,
): ContainerState {
  const state: ContainerState = {
    id: service.ID,
    labels: service.Spec.Labels,
    phase: "created",
    exitCode: null,
    // The manager is not told of it.
    oomKilled: false,
    error: "",
    startedAt,
    finishedAt: null,
  };
  if (task === undefined) return isStarted(service) ? { ...state, phase: "starting" } : state;
  const { State, Timestamp, Err, Message, ContainerStatus } = task.Status;
  const error = Err === "" ? Message : Err;
  if (isActive(task)) {
    if (node?.downSeconds != null && node.downSeconds >= hostLostAfterSeconds) {
      const message = `The swarm's node ${node.hostname} was down for more than ${hostLostAfterSeconds} s`;
      return { ...state, phase: "ended", failure: { cause: "host_lost", message } };
    }
    return { ...state, phase: isRunning(task) ? "running" : "starting", error };
  }
  if (neverRan(task)) return { ...state, phase: isStopped(service) ? "ended" : "created", error };
  const ended: ContainerState = {
    ...state,
    phase: "ended",
    exitCode: ContainerStatus?.ExitCode ?? null,
    finishedAt: new Date(Timestamp),
  };
  if (State !== "complete" && State !== "failed" && !isStopped(service)) {
    const message = `The swarm ended the task itself: its node ${node?.hostname ?? task.NodeID} was down or drained`;
    return { ...ended, failure: { cause: "host_lost", message } };
  }
  // Of the manager's own engine the caller knows better.
  return node?.isManager && !wasDown ? ended : { ...ended, engineWasGone: wasDown };
}
