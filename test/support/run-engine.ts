/*
 * Keeps one private Docker engine, as root, and takes it away again when its standard input ends,
 * so that nothing is left when the tests that use it are killed. One command a line comes in
 * (`kill SIGKILL`, `start`, `pause`, `resume`, `stop`), one line of JSON answers each.
 */
import { chmod, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import { importBusybox } from "./image.ts";
import { pushBusybox, REGISTRY, startRegistry } from "./registry.ts";
import { daemonAt, makePlace, socketOf, sweep } from "./run-daemon.ts";

const PREFIX = "fastlane-engine-";

for (const key of Object.keys(process.env)) if (key.startsWith("DOCKER_")) delete process.env[key];
// A Ctrl-C reaches the whole terminal; the end of standard input is what counts.
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
process.on("SIGTERM", () => process.stdin.destroy());

await sweepAbandoned();
const folder = await mkdtemp(`${tmpdir()}/${PREFIX}`);
await chmod(folder, 0o711);
await writeFile(`${folder}/keeper`, `${process.pid}`);
const place = {
  folder,
  netns: basename(folder),
  liveRestore: process.argv.includes("--live-restore"),
  group: Number(process.env["SUDO_GID"] ?? process.getgid?.()),
};
const daemon = daemonAt(place);
const registries: Awaited<ReturnType<typeof startRegistry>>[] = [];

try {
  await makePlace(place);
  await daemon.start();
  await importBusybox(daemon.docker);
  if (process.argv.includes("--registry")) {
    registries.push(await startRegistry(place.netns, `${folder}/registry`));
    await pushBusybox(daemon.docker);
  }
  say({ host: `unix://${socketOf(place)}`, registry: REGISTRY });
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "stop") break;
    await obey(line).then(
      () => say({ done: line }),
      (error) => say({ error: `${error}` }),
    );
  }
} catch (error) {
  say({ error: error instanceof Error ? error.message : `${error}` });
} finally {
  await daemon.end();
  for (const registry of registries) registry.kill("SIGKILL");
  await sweep(folder);
  say({ done: "stop" });
  process.exit(0);
}

async function obey(line: string): Promise<void> {
  const [command, signal = "SIGKILL"] = line.split(" ");
  if (command === "kill") await daemon.signal(signal as NodeJS.Signals);
  else if (command === "start") await daemon.start();
  else if (command === "pause") await daemon.signal("SIGSTOP");
  else if (command === "resume") await daemon.signal("SIGCONT");
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
