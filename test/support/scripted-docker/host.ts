import { setTimeout as delay } from "node:timers/promises";
import { refuse } from "./acts.ts";
import { ScriptedEngine } from "./engine.ts";
import { type Reply, type ReplyStream, type Request, socketServer } from "./http.ts";
import { type CallName, callOf } from "./routes.ts";

/** What is wrong with a host; containers run on all the same. */
export type Fault =
  /** Nobody listens: streams are cut, and connections refused. */
  | { kind: "refuse" }
  /** `hang`: nothing is done or answered until the fault is over. `lose`: it is done, and the connection is cut
   * instead of an answer. `error`: 500, and nothing done. Of all calls when none are named. */
  | { kind: "hang" | "lose" | "error"; calls?: CallName[] }
  /** Each is answered so much later. */
  | { kind: "slow"; ms: number; calls?: CallName[] };

/** What a host has seen. */
export interface HostTold {
  /** How often each call came in. */
  calls: Partial<Record<CallName, number>>;
  containers: number;
  running: number;
  mostRunning: number;
  /** When containers were started, by name, by the clock. */
  starts: Record<string, number[]>;
}

export interface ScriptedHost {
  setFault(fault: Fault | null): Promise<void>;
  /** Cuts the logs, attachments and events that are open. */
  dropStreams(): void;
  addImages(names: readonly string[]): void;
  tell(): HostTold;
  close(): Promise<void>;
}

/** An engine behind a socket of its own. */
export async function scriptedHost(socketPath: string): Promise<ScriptedHost> {
  const engine = new ScriptedEngine();
  const calls: Partial<Record<CallName, number>> = {};
  let fault: Fault | null = null;
  let changed = Promise.withResolvers<void>();

  const handle = async (request: Request, reply: Reply) => {
    const found = callOf(request);
    if (found === null) {
      refuse(reply, 404, "page not found");
      return;
    }
    const { call, act, name } = found;
    calls[call] = (calls[call] ?? 0) + 1;
    const asked = { engine, request, reply, name };
    const wrongWith = () => (fault !== null && concerns(fault, call) ? fault : null);
    while (wrongWith()?.kind === "hang") await changed.promise;
    const wrong = wrongWith();
    if (wrong?.kind === "slow") await delay(wrong.ms);
    if (wrong === null || wrong.kind === "slow") await act(asked);
    else if (wrong.kind === "lose") await act({ ...asked, reply: lostReply(reply) });
    else if (wrong.kind === "error") refuse(reply, 500, "scripted fault");
  };
  const server = socketServer(socketPath, (request, reply) => {
    handle(request, reply).catch((error: unknown) => {
      console.error(`${request.method} ${request.path}:`, error);
      reply.cut();
    });
  });
  await server.listen();

  return {
    async setFault(next) {
      fault = next;
      changed.resolve();
      changed = Promise.withResolvers();
      await (next?.kind === "refuse" ? server.refuse() : server.listen());
    },
    dropStreams: server.dropStreams,
    addImages(names) {
      for (const name of names) engine.addImage(name);
    },
    tell: () => ({
      calls,
      containers: engine.containers.length,
      running: engine.running,
      mostRunning: engine.mostRunning,
      starts: Object.fromEntries(engine.starts),
    }),
    async close() {
      await server.refuse();
      for (const container of engine.containers) container.kill();
    },
  };
}

function concerns(fault: Fault, call: CallName): boolean {
  return fault.kind === "refuse" || (fault.calls?.includes(call) ?? true);
}

/** Whatever the answer would have been, the connection is cut instead. */
function lostReply({ cut }: Reply): Reply {
  const cutStream: ReplyStream = { write: cut, end: cut, onClose: (listener) => listener() };
  const stream = () => {
    cut();
    return cutStream;
  };
  return { json: cut, empty: cut, stream, hijack: stream, cut };
}
