import type { Environment } from "./sources.ts";

/** Who started this process as a service and wants to be told how it is: systemd, as a rule. */
export interface ServiceManager {
  /** The datagram socket that takes what is told, as its variable has it. */
  readonly socket: string;
  /** How long the service may be silent before it is killed; `null` where nobody watches. */
  readonly watchdogMs: number | null;
}

/** @returns `null` where nobody wants to be told. */
export function serviceManagerOf(environment: Environment, pid: number): ServiceManager | null {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: microseconds, WATCHDOG_PID: watched } = environment;
  if (socket === undefined || socket === "") return null;
  const watchdogMs = Number(microseconds) / 1_000;
  const isForUs = watched === undefined || watched === "" || Number(watched) === pid;
  return { socket, watchdogMs: isForUs && watchdogMs > 0 ? watchdogMs : null };
}
