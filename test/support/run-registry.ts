/*
 * Runs as root in a test engine's network namespace: a door for a registry that is a server of the
 * test's own, with a real registry behind it. All of it ends with its standard input.
 */
import { execFileSync } from "node:child_process";
import { chmod, rm } from "node:fs/promises";
import { connect, createServer, type NetConnectOpts, type Server } from "node:net";
import { REGISTRY, startRegistry } from "./registry.ts";

/** The engine asks for TLS where it does not speak to itself. */
const NOT_LOOPBACK = "10.83.7.7";

const [netns = "", folder = "", ...users] = process.argv.slice(2);
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
process.on("SIGTERM", () => process.stdin.destroy());

const behind =
  users.length === 0
    ? null
    : await startRegistry(netns, `${folder}/registry`, { address: "127.0.0.1:0", users });
const [, port] = (behind?.address ?? REGISTRY).split(":");

const inwards = await listening(forwarding({ path: `${folder}/server.sock` }), 0);
await listening(forwarding({ host: "127.0.0.1", port: Number(port) }), `${folder}/behind.sock`);
await chmod(`${folder}/behind.sock`, 0o777);
const at = (inwards.address() as { port: number }).port;
execFileSync("ip", ["address", "replace", `${NOT_LOOPBACK}/32`, "dev", "lo"]);
const names = { name: `127.0.0.1:${at}`, untrusted: `${NOT_LOOPBACK}:${at}` };
process.stdout.write(`${JSON.stringify({ ...names, behind: behind?.address ?? REGISTRY })}\n`);

process.stdin.resume();
process.stdin.on("close", async () => {
  behind?.process.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
  process.exit(0);
});

/** Who goes away on one side goes away on the other. */
function forwarding(target: NetConnectOpts): Server {
  return createServer((client) => {
    const other = connect(target);
    for (const [from, to] of [
      [client, other],
      [other, client],
    ] as const) {
      from.on("error", () => {});
      from.on("close", () => to.destroy());
      from.pipe(to);
    }
  });
}

function listening(server: Server, where: string | number): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const done = () => resolve(server);
    if (typeof where === "string") server.listen(where, done);
    else server.listen(where, "0.0.0.0", done);
  });
}
