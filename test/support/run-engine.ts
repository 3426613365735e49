/*
 * Keeps one private Docker engine, as root, and takes it away again when its standard input ends,
 * so that nothing is left when the tests that use it are killed. One command a line comes in
 * (`kill SIGKILL`, `start`, `pause`, `resume`, `stop`), one line of JSON answers each. With
 * `--network` it keeps a network for engines instead, which join it by `--join` and `--address`.
 */
import { existsSync } from "node:fs";
import { chmod, chown, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { makeAuthority } from "./certificates.ts";
import { importBusybox } from "./image.ts";
import { type Breakage, breakNetwork, healNetwork, joinNetwork, makeNetwork } from "./network.ts";
import { pushBusybox, REGISTRY, startRegistry } from "./registry.ts";
import {
  type Daemon,
  type DaemonPlace,
  daemonAt,
  makePlace,
  socketOf,
  sweep,
} from "./run-daemon.ts";
import { type Sshd, sshdAt } from "./sshd.ts";

const PREFIX = "fastlane-engine-";
const { values: options } = parseArgs({
  options: {
    "live-restore": { type: "boolean", default: false },
    registry: { type: "boolean", default: false },
    /** Keeps a network and no engine. */
    network: { type: "boolean", default: false },
    /** The namespace of the network to be on. */
    join: { type: "string" },
    address: { type: "string", default: "" },
    listen: { type: "string" },
    ssh: { type: "boolean", default: false },
  },
});

for (const key of Object.keys(process.env)) if (key.startsWith("DOCKER_")) delete process.env[key];
// A Ctrl-C reaches the whole terminal; the end of standard input is what counts.
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
const commands = createInterface({ input: process.stdin });
const lines = commands[Symbol.asyncIterator]();
// To destroy the input would leave the loop below waiting for ever.
process.on("SIGTERM", () => commands.close());
// Whoever asked may be gone when the answer comes.
process.stdout.on("error", () => undefined);

await sweepAbandoned();
const folder = await mkdtemp(`${tmpdir()}/${PREFIX}`);
await chmod(folder, 0o711);
await writeFile(`${folder}/keeper`, `${process.pid}`);
const place: DaemonPlace = {
  folder,
  netns: basename(folder),
  liveRestore: options["live-restore"],
  group: Number(process.env["SUDO_GID"] ?? process.getgid?.()),
  listen: [],
};
const ends: (() => unknown)[] = [];
let obey = async (line: string): Promise<void> => {
  throw new Error(`Cannot obey "${line}": no such command`);
};

try {
  say(options.network ? { ...(await makeNetwork(place.netns, folder)) } : await startEngine());
  for await (const line of lines) {
    if (line === "stop") break;
    await obey(line).then(
      () => say({ done: line }),
      (error) => say({ error: `${error}` }),
    );
  }
} catch (error) {
  say({ error: error instanceof Error ? error.message : `${error}` });
} finally {
  for (const end of ends) await end();
  await sweep(folder);
  say({ done: "stop" });
  process.exit(0);
}

async function startEngine(): Promise<Record<string, string>> {
  const { address, join } = options;
  await makePlace(place);
  if (join !== undefined) joinNetwork(place.netns, join, address);
  const daemon = daemonAt({ ...place, listen: listening(address) });
  ends.push(daemon.end);
  await daemon.start();
  await importBusybox(daemon.docker);
  if (options.registry) {
    const registry = await startRegistry(place.netns, `${folder}/registry`);
    ends.push(() => registry.process.kill("SIGKILL"));
    await pushBusybox(daemon.docker);
  }
  const sshd = options.ssh ? await sshdAt({ ...place, address }) : null;
  if (sshd !== null) ends.push(sshd.kill);
  await sshd?.start();
  await giveFiles();
  obey = (line) => command(line, daemon, sshd);
  return { host: `unix://${socketOf(place)}`, registry: REGISTRY };
}

/** The flags of dockerd for `--listen tcp` and `--listen tls`. */
function listening(address: string): string[] {
  // Without the word, dockerd waits a while before it listens without TLS.
  if (options.listen === "tcp") return ["--host", `tcp://${address}:2375`, "--tls=false"];
  if (options.listen !== "tls") return [];
  const authority = makeAuthority(`${folder}/tls`);
  const { certFile, keyFile } = authority.issueServer("server", address);
  authority.issueClient("client");
  return [
    ...["--host", `tcp://${address}:2376`, "--tlsverify", "--tlscacert", authority.caFile],
    ...["--tlscert", certFile, "--tlskey", keyFile],
  ];
}

/** Keys are for their owner alone to read: whoever asked for the engine. */
async function giveFiles(): Promise<void> {
  const user = Number(process.env["SUDO_UID"] ?? process.getuid?.());
  const files = ["tls/client-key.pem", "tls/ca-key.pem", "ssh/id_ed25519"];
  for (const file of files) {
    if (existsSync(`${folder}/${file}`)) await chown(`${folder}/${file}`, user, place.group);
  }
}

async function command(line: string, daemon: Daemon, sshd: Sshd | null): Promise<void> {
  const [word, signal = "SIGKILL"] = line.split(" ");
  if (word === "kill") await daemon.signal(signal as NodeJS.Signals);
  else if (word === "start") await daemon.start();
  else if (word === "pause") await daemon.signal("SIGSTOP");
  else if (word === "resume") await daemon.signal("SIGCONT");
  else if (word === "drop" || word === "refuse") breakNetwork(place.netns, word satisfies Breakage);
  else if (word === "heal") healNetwork(place.netns);
  else if (word === "ssh-kill" && sshd !== null) await sshd.kill();
  else if (word === "ssh-start" && sshd !== null) await sshd.start();
  else if (word === "ssh-keys" && sshd !== null) await sshd.changeHostKeys();
  else throw new Error(`Cannot obey "${line}": no such command`);
}

/** Engines whose keeper was itself killed. */
async function sweepAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const keeper = await readFile(`${tmpdir()}/${name}/keeper`, "utf8").catch(() => null);
    if (keeper === null) continue;
    const alive = await readFile(`/proc/${keeper}/cmdline`, "utf8").catch(() => "");
    if (!alive.includes("run-engine")) await sweep(`${tmpdir()}/${name}`);
  }
}

function say(answer: Record<string, string>): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
