import type { ScriptedContainer } from "./container.ts";
import type { ScriptedEngine } from "./engine.ts";
import type { Reply, Request } from "./http.ts";

/** One call to an engine. */
export interface Asked {
  engine: ScriptedEngine;
  request: Request;
  reply: Reply;
  /** The container or image that the path names. */
  name: string;
}

export type Act = (asked: Asked) => Promise<void> | void;

export function refuse(reply: Reply, status: number, message: string): void {
  reply.json(status, { message });
}

export function onContainer(
  act: (asked: Asked & { container: ScriptedContainer }) => Promise<void> | void,
): Act {
  return (asked) => {
    const container = asked.engine.find(asked.name);
    if (container !== null) return act({ ...asked, container });
    return refuse(asked.reply, 404, `No such container: ${asked.name}`);
  };
}

/**
 * The values of one key of `filters`, which clients send as a list or as an object of trues.
 *
 * @returns `null` when nothing is asked of that key.
 */
export function filterOf({ query }: Request, key: string): string[] | null {
  const filters: Record<string, string[] | Record<string, boolean>> = JSON.parse(
    query.get("filters") ?? "{}",
  );
  const values = filters[key];
  if (values === undefined) return null;
  return Array.isArray(values) ? values : Object.keys(values);
}

/** Whether a container has every label that is asked for, by `name=value` or by name alone. */
export function hasLabels(container: ScriptedContainer, wanted: readonly string[] | null): boolean {
  const labels = container.body.Labels ?? {};
  return (wanted ?? []).every((label) => {
    const [name = "", ...value] = label.split("=");
    return value.length === 0 ? name in labels : labels[name] === value.join("=");
  });
}
