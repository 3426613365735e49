import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync } from "node:fs";
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** Who logs in; the key is `FOLDER/ssh/id_ed25519`. */
const SSH_USER = "deploy";

// scripts/lib.sh unpacks it there: Debian's package would let the whole machine be logged in to.
const UNPACKED = `${import.meta.dir}/../../build/tools`;
const ROOT = existsSync(`${UNPACKED}/usr/sbin/sshd`) ? UNPACKED : "";
const START_LIMIT_MS = 10_000;

export interface SshPlace {
  folder: string;
  netns: string;
  address: string;
  /** The group that may use the engine's socket; the user is in it. */
  group: number;
}

export interface Sshd {
  start(): Promise<void>;
  /** Ends it and every session of it, as a machine that goes down does. */
  kill(): Promise<void>;
  /** Gives it other host keys, which count from its next start on. */
  changeHostKeys(): Promise<void>;
}

/**
 * An sshd for an engine's namespace, in which `/var/run/docker.sock` is that engine's socket. It
 * has processes of its own and an /etc/passwd with one user; neither PAM nor a password counts.
 */
export async function sshdAt(place: SshPlace): Promise<Sshd> {
  const folder = `${place.folder}/ssh`;
  await mkdir(folder, { mode: 0o755 });
  await writeFile(`${folder}/passwd`, passwdOf(place, folder));
  await writeFile(`${folder}/sshd_config`, configOf(place, folder));
  await writeFile(`${folder}/run.sh`, scriptOf(place, folder));
  keygen(`${folder}/id_ed25519`, "ed25519");
  await chmod(`${folder}/id_ed25519`, 0o600);
  execFileSync("cp", [`${folder}/id_ed25519.pub`, `${folder}/authorized_keys`]);
  let child: ChildProcess | undefined;

  async function changeHostKeys(): Promise<void> {
    for (const type of ["ed25519", "ecdsa"]) {
      await rm(`${folder}/host_${type}`, { force: true });
      keygen(`${folder}/host_${type}`, type);
    }
  }

  async function start(): Promise<void> {
    const log = openSync(`${folder}/sshd.log`, "a");
    // With a pid namespace, no session outlives it; `--kill-child` ends that when its parent goes.
    const own = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", `${folder}/run.sh`];
    const started = spawn("nsenter", [`--net=/run/netns/${place.netns}`, ...own], {
      detached: true,
      stdio: ["ignore", log, log],
    });
    child = started;
    await answers(started);
  }

  async function answers(started: ChildProcess): Promise<void> {
    const scan = ["-T", "1", "-t", "ed25519", place.address];
    const deadline = performance.now() + START_LIMIT_MS;
    while (performance.now() < deadline && started.exitCode === null) {
      if (spawnedText("ssh-keyscan", scan) !== "") return;
      await sleep(50);
    }
    started.kill("SIGKILL");
    throw new Error(`Cannot start sshd: ${await readFile(`${folder}/sshd.log`, "utf8")}`);
  }

  async function kill(): Promise<void> {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const exited = once(running, "exit");
    running.kill("SIGKILL");
    await exited;
  }

  await changeHostKeys();
  return { start, kill, changeHostKeys };
}

function keygen(path: string, type: string): void {
  execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", "fastlane-test", "-f", path]);
}

function spawnedText(program: string, words: string[]): string {
  try {
    return execFileSync(program, words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "";
  }
}

const passwdOf = ({ group }: SshPlace, folder: string) =>
  [
    "root:x:0:0:root:/root:/bin/sh",
    `${SSH_USER}:*:65533:${group}:test:${folder}:/bin/sh`,
    "sshd:*:65532:65534:sshd:/run/sshd:/usr/sbin/nologin",
    "",
  ].join("\n");

function configOf({ address }: SshPlace, folder: string): string {
  const lines = [
    `ListenAddress ${address}`,
    `HostKey ${folder}/host_ed25519`,
    `HostKey ${folder}/host_ecdsa`,
    `AuthorizedKeysFile ${folder}/authorized_keys`,
    "PidFile none",
    "UsePAM no",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    // The folder is below /tmp, where sshd trusts no file.
    "StrictModes no",
    "LogLevel VERBOSE",
  ];
  // From OpenSSH 9.8 on, sshd is several programs.
  for (const [key, name] of [
    ["SshdSessionPath", "sshd-session"],
    ["SshdAuthPath", "sshd-auth"],
  ]) {
    const path = `${ROOT}/usr/lib/openssh/${name}`;
    if (ROOT !== "" && existsSync(path)) lines.push(`${key} ${path}`);
  }
  return `${lines.join("\n")}\n`;
}

const scriptOf = (place: SshPlace, folder: string) => `
set -e
mount --bind ${folder}/passwd /etc/passwd
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/sshd
ln -s ${place.folder}/docker.sock /run/docker.sock
exec ${ROOT}/usr/sbin/sshd -D -e -f ${folder}/sshd_config
`;
