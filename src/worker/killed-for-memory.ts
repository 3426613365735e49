import { setTimeout as delay } from "node:timers/promises";
import type { ContainerState, Host } from "../farm/host.ts";

/** 128 + SIGKILL. */
const KILLED = 137;
const LOOKS = 5;
const LOOK_AFTER_MS = 100;

/**
 * A container's end with the engine's word on whether the kernel killed it for its memory. That
 * reaches the engine by another event of containerd than the exit, and on a busy host behind it.
 *
 * @param signal Aborted: there is no time to wait for it.
 * @throws {HostUnreachable}
 */
export async function withMemoryWord<State extends ContainerState>(
  host: Pick<Host, "inspect">,
  state: State,
  signal: AbortSignal,
): Promise<State> {
  if (state.exitCode !== KILLED || state.failure !== undefined) return state;
  let { oomKilled } = state;
  for (let look = 0; look < LOOKS && !oomKilled && !signal.aborted; look++) {
    await delay(LOOK_AFTER_MS, undefined, { signal }).catch(() => {});
    oomKilled = (await host.inspect(state.id))?.oomKilled ?? false;
  }
  return { ...state, oomKilled };
}
