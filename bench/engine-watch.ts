import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface EngineWatch extends AsyncDisposable {
  /** As `dockerHosts` takes it. */
  host: string;
  socketPath: string;
  /** The moment at which the next call to start a container comes in, by `performance.now()`. */
  nextStart(): Promise<number>;
}

const START_CALL = /^POST (?:\/v[\d.]+)?\/containers\/\w+\/start[ ?]/;

/**
 * Stands between a client and an engine, and passes bytes on as they come: no HTTP is parsed and
 * made again, so that what is measured behind it is slowed down by two copies only.
 */
export async function startEngineWatch(engineSocket: string): Promise<EngineWatch> {
  const socketPath = join(tmpdir(), `fastlane-watch-${randomUUID()}.sock`);
  const connections = new Set<Socket>();
  let startSeen = Promise.withResolvers<number>();

  const server = createServer((client) => {
    const engine = connect(engineSocket);
    for (const [socket, other] of [
      [client, engine],
      [engine, client],
    ] as const) {
      connections.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        connections.delete(socket);
        other.destroy();
      });
    }
    client.on("data", (bytes: Uint8Array) => {
      if (!START_CALL.test(Buffer.from(bytes).toString("latin1"))) return;
      startSeen.resolve(performance.now());
      startSeen = Promise.withResolvers();
    });
    client.pipe(engine);
    engine.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));

  return {
    host: `unix://${socketPath}`,
    socketPath,
    nextStart: () => startSeen.promise,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of connections) socket.destroy();
      await rm(socketPath, { force: true });
    },
  };
}
