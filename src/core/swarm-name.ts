/** Before a manager's host string; so one address can be a host of its own as well. */
const PREFIX = "swarm+";

/** The name of a whole swarm as a host of a pool. */
export function swarmName(manager: string): string {
  return `${PREFIX}${manager}`;
}

/** The host string of the swarm's manager; `null` when the name is that of a single host. */
export function managerOf(name: string): string | null {
  return name.startsWith(PREFIX) ? name.slice(PREFIX.length) : null;
}
