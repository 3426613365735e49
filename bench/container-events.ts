import type { IncomingMessage } from "node:http";
import type Docker from "dockerode";
import { INSTALLATION_LABEL } from "../src/farm/labels.ts";

export interface ContainerEvents extends Disposable {
  /** Resolves when the engine tells that the container with that name has started. */
  started(name: string): Promise<void>;
  /** Resolves with the moment, by `performance.now()`, at which its end is told. */
  died(name: string): Promise<number>;
}

/** What the engine tells of containers that carry fastlane's label. */
export async function openContainerEvents(docker: Docker): Promise<ContainerEvents> {
  const moments = new Map<string, PromiseWithResolvers<number>>();
  const momentOf = (key: string) => {
    const moment = moments.get(key) ?? Promise.withResolvers<number>();
    moments.set(key, moment);
    return moment.promise;
  };
  const stream = (await docker.getEvents({
    filters: { type: ["container"], event: ["start", "die"], label: [INSTALLATION_LABEL] },
  })) as IncomingMessage;
  let rest = "";
  stream.on("data", (bytes: Uint8Array) => {
    const now = performance.now();
    const lines = (rest + Buffer.from(bytes).toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines.filter((text) => text.trim() !== "")) {
      const event: { Action: string; Actor: { Attributes: Record<string, string> } } =
        JSON.parse(line);
      const key = `${event.Action} ${event.Actor.Attributes["name"]}`;
      void momentOf(key);
      moments.get(key)?.resolve(now);
    }
  });
  return {
    started: async (name) => {
      await momentOf(`start ${name}`);
    },
    died: (name) => momentOf(`die ${name}`),
    [Symbol.dispose]: () => stream.destroy(),
  };
}
