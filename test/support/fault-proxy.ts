import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export type FaultTarget = { host: string; port: number } | { path: string };

/**
 * `pass` forwards; `refuse` takes no new connections, as if nothing listened; `hole` takes them and
 * keeps the others, and forwards nothing until it passes again: then what was held is delivered,
 * as TCP does.
 */
type FaultMode = "pass" | "refuse" | "hole";

export interface FaultProxy extends AsyncDisposable {
  /** On 127.0.0.1; stays the same. */
  readonly port: number;
  readonly mode: FaultMode;
  /** Connections that are open now. */
  readonly connections: number;
  /** The target's URL, with the proxy in its place. */
  url(targetUrl: string): string;
  set(mode: FaultMode): Promise<void>;
  /** Resets every open connection, without an end. */
  cut(): void;
  stop(): Promise<void>;
}

export async function startFaultProxy(options: { target: FaultTarget }): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  let held: (() => void)[] = [];
  let mode: FaultMode = "pass";
  let open = 0;
  let server: Server | null = await listen(0);
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Cannot listen on TCP");
  const { port } = address;

  const deliver = (step: () => void) => {
    if (mode === "hole") held.push(step);
    else step();
  };

  function accept(client: Socket): void {
    open++;
    track(client);
    client.once("close", () => open--);
    // Before it stands, the target's socket keeps what is written to it.
    let target: Socket | undefined;
    deliver(() => {
      if (client.destroyed) return;
      target = connect(options.target);
      track(target);
      join(target, client);
    });
    client.on("data", (bytes) => deliver(() => target?.write(bytes)));
    client.on("end", () => deliver(() => target?.end()));
    client.on("close", () => deliver(() => target?.destroy()));
  }

  function join(from: Socket, to: Socket): void {
    from.on("data", (bytes) => deliver(() => to.write(bytes)));
    from.on("end", () => deliver(() => to.end()));
    from.on("close", () => deliver(() => to.destroy()));
  }

  function track(socket: Socket): void {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
  }

  async function listen(at: number): Promise<Server> {
    const made = createServer({ allowHalfOpen: true }, accept).listen(at, "127.0.0.1");
    await once(made, "listening");
    return made;
  }

  async function set(next: FaultMode): Promise<void> {
    mode = next;
    if (next === "refuse") {
      // Its callback waits for the connections too, which go on.
      server?.close();
      server = null;
    } else {
      server ??= await listen(port);
    }
    if (next === "hole") return;
    const steps = held;
    held = [];
    for (const step of steps) step();
  }

  function cut(): void {
    held = [];
    for (const socket of sockets) socket.resetAndDestroy();
  }

  async function stop(): Promise<void> {
    mode = "pass";
    server?.close();
    server = null;
    cut();
  }

  return {
    port,
    get mode() {
      return mode;
    },
    get connections() {
      return open;
    },
    url: (targetUrl) => throughProxy(targetUrl, port),
    set,
    cut,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function throughProxy(targetUrl: string, port: number): string {
  const url = new URL(targetUrl);
  url.hostname = "127.0.0.1";
  url.port = `${port}`;
  url.searchParams.delete("host");
  return url.href;
}
