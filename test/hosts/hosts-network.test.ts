import { afterAll, beforeAll, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { knownHostsLine, sshAccessTo, temporaryFolder, tlsAccessTo } from "../support/access.ts";
import { startTestApp } from "../support/app.ts";
import { makeAuthority } from "../support/certificates.ts";
import { enqueue, eventually, untilEnded, untilExecution } from "../support/client.ts";
import { untilNoContainers } from "../support/containers.ts";
import { type NetworkEngine, startEngine, startNetwork } from "../support/engine.ts";
import { untilHost as untilHostOf } from "../support/hosts.ts";
import { type FastlaneProcess, startFastlane } from "../support/process.ts";
import { type MigratedDatabase, migratedDatabase } from "../support/store.ts";

type Kind = "tcp" | "https" | "ssh";

let network: Awaited<ReturnType<typeof startNetwork>>;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let open: NetworkEngine;
let guarded: NetworkEngine;
let database: MigratedDatabase;
let fastlane: FastlaneProcess;
const hosts = {} as Record<Kind, string>;

beforeAll(async () => {
  folder = await temporaryFolder();
  network = await startNetwork();
  [open, guarded] = await Promise.all([
    startEngine({ network, listen: "tcp", liveRestore: true }),
    startEngine({ network, listen: "tls", ssh: true, liveRestore: true }),
  ]);
  hosts.tcp = `tcp://${open.address}:2375`;
  hosts.https = `https://${guarded.address}:2376`;
  hosts.ssh = `ssh://deploy@${guarded.address}`;
  writeFileSync(knownHostsFile(), knownHostsLine(guarded));
  database = await migratedDatabase();
  fastlane = await startFastlane({
    environment: {
      FASTLANE_DATABASE_URL: database.url,
      FASTLANE_DOCKER_HOSTS: JSON.stringify([
        ...Object.entries(hosts).map(([kind, host]) => ({ match: `^${kind}`, hosts: [host] })),
        { match: "^strange-ca", hosts: [strangeCa()] },
        { match: "^strange-key", hosts: [strangeKey()] },
      ]),
      FASTLANE_HOST_ACCESS: JSON.stringify({
        https: tableOf(tlsAccessTo(guarded)),
        [strangeCa()]: { caFile: makeAuthority(`${folder.path}/strange`).caFile },
        ssh: tableOf(sshAccessTo(guarded, knownHostsFile())),
        [strangeKey()]: { knownHostsFile: "/dev/null" },
      }),
      // What dockerode and Node would listen to.
      DOCKER_HOST: "tcp://127.0.0.1:1",
      DOCKER_TLS_VERIFY: "1",
      DOCKER_CERT_PATH: "/no/such/folder",
      NODE_TLS_REJECT_UNAUTHORIZED: "0",
      SSH_AUTH_SOCK: "/no/such/agent.sock",
    },
  });
}, 120_000);
afterAll(async () => {
  await fastlane.end("SIGTERM");
  await Promise.all([open.stop(), guarded.stop()]);
  await network[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
}, 120_000);

const knownHostsFile = () => `${folder.path}/known_hosts`;
const strangeCa = () => `https://${guarded.address}`;
const strangeKey = () => `ssh://deploy@${guarded.address}:22`;

/** The keys that a table of `hostAccess` may have. */
function tableOf(access: object): object {
  const { kind, defaultIdentityFiles, ...table } = access as Record<string, unknown>;
  return table;
}

const lines = (count: number) =>
  Array.from({ length: count }, (_, index) => `line ${index + 1}\n`).join("");
const writing = (count: number) => [
  "sh",
  "-c",
  `i=0; while [ $i -lt ${count} ]; do i=$((i+1)); echo line $i; sleep 0.1; done; printf rest; exit 7`,
];

interface HostStatus {
  available: boolean;
  error: string | null;
  host: string;
  port: number | null;
}

/** The hosts of the pools in their order: tcp, https, ssh, and the two strange ones. */
async function statuses(): Promise<HostStatus[]> {
  const response = await fetch(`${fastlane.url}/status`);
  return ((await response.json()) as { hosts: HostStatus[] }).hosts;
}

async function untilHost(kind: Kind, isAsWanted: (host: HostStatus) => boolean): Promise<void> {
  const index = Object.keys(hosts).indexOf(kind);
  let last: HostStatus | undefined;
  await eventually(
    async () => {
      last = (await statuses())[index];
      return last !== undefined && isAsWanted(last) ? true : undefined;
    },
    () => `${kind} is not as wanted: ${Bun.inspect(last)}`,
    60_000,
  );
}

test.each<[Kind]>([["tcp"], ["https"], ["ssh"]])(
  "over %s a job has its whole log and its exit code, and says where it ran",
  async (kind) => {
    const script =
      "echo out; echo err >&2; sleep 0.3; yes 0123456789 | head -n 20000; printf rest; exit 7";
    const job = await enqueue(fastlane.url, `${kind}-job`, { command: ["sh", "-c", script] });

    const ended = await untilEnded(job);

    expect(ended).toMatchObject({ status: "failed", failureCause: "exit_code", exitCode: 7 });
    const log = await (await fetch(`${job.executionUrl}stdout/`)).text();
    expect(log === `out\n${"0123456789\n".repeat(20_000)}rest`).toBe(true);
    expect(ended.error).toBe("err\n");
    const { docker_host, docker_port } = ended.metadata;
    const shown = {
      tcp: [open.address, 2375],
      https: [guarded.address, 2376],
      ssh: [hosts.ssh, null],
    };
    expect([docker_host, docker_port]).toEqual(shown[kind]);
  },
);

test.each<[Kind]>([["tcp"], ["https"], ["ssh"]])("over %s a job is stopped", async (kind) => {
  const script = "trap 'echo told; exit 5' TERM; echo up; while :; do sleep 0.05; done";
  const job = await enqueue(fastlane.url, `${kind}-stop`, { command: ["sh", "-c", script] });
  await untilExecution(job, ({ log }) => log.includes("up"));

  await fetch(`${job.executionUrl}stop/`, { method: "POST" });

  const ended = await untilEnded(job);
  expect(ended).toMatchObject({ status: "stopped", exitCode: 5, log: "up\ntold\n" });
});

test("each host is shown by its name and port, or by its whole text; one that is refused says why", async () => {
  const shown = await eventually(
    async () => {
      const all = await statuses();
      const isTold = all.every(({ available, error }) => available || error?.includes(": "));
      return isTold && all.slice(0, 3).every(({ available }) => available) ? all : undefined;
    },
    () => "not each host is shown as it is",
  );

  expect(shown).toMatchObject([
    { available: true, error: null, host: open.address, port: 2375 },
    { available: true, error: null, host: guarded.address, port: 2376 },
    { available: true, error: null, host: hosts.ssh, port: null },
    { available: false, host: guarded.address, port: 2376 },
    { available: false, host: strangeKey(), port: null },
  ]);
  expect(shown[3]?.error).toContain("its certificate is not signed by a trusted authority");
  expect(shown[4]?.error).toContain(
    `the host key of "${guarded.address}" is unknown: "/dev/null" has none for it`,
  );
});

test("while the way to them is cut, containers run on, and their logs are whole afterwards", async () => {
  const kinds = Object.keys(hosts) as Kind[];
  const jobs = await Promise.all(
    kinds.map((kind) => enqueue(fastlane.url, `${kind}-cut`, { command: writing(150) })),
  );
  await Promise.all(jobs.map((job) => untilExecution(job, ({ log }) => log.includes("line 20\n"))));

  await Promise.all([open.cut(), guarded.cut()]);
  await Promise.all(kinds.map((kind) => untilHost(kind, ({ available }) => !available)));
  await Promise.all([open.heal(), guarded.heal()]);

  for (const job of jobs) {
    const ended = await untilEnded(job);
    expect(ended).toMatchObject({ status: "failed", exitCode: 7, log: `${lines(150)}rest` });
    expect(ended.metadata.retry).toBe(0);
  }
});

test("a host whose sshd is killed and whose key is changed is refused until the new key is known, and its log is whole", async () => {
  const job = await enqueue(fastlane.url, "ssh-killed", { command: writing(100) });
  await untilExecution(job, ({ log }) => log.includes("line 20\n"));

  await guarded.killSshd();
  await guarded.changeSshHostKeys();
  await untilHost("ssh", ({ available }) => !available);
  await guarded.startSshd();
  await untilHost("ssh", ({ error }) => error?.includes("is not the one that") ?? false);
  writeFileSync(knownHostsFile(), knownHostsLine(guarded));

  const ended = await untilEnded(job);
  expect(ended).toMatchObject({ status: "failed", exitCode: 7, log: `${lines(100)}rest` });
});

test("a certificate that turns wrong and a key that is refused cost what runs nothing", async () => {
  const [caFile, keyFile] = [`${folder.path}/ca-now.pem`, `${folder.path}/key-now`];
  const [goodCa, goodKey] = [
    readFileSync(tlsAccessTo(guarded).caFile ?? ""),
    readFileSync(`${guarded.folder}/ssh/id_ed25519`),
  ];
  const put = (path: string, bytes: Uint8Array) => writeFileSync(path, bytes, { mode: 0o600 });
  put(caFile, goodCa);
  put(keyFile, goodKey);
  const names = [hosts.https, hosts.ssh];
  await using app = await startTestApp({
    config: {
      dockerHosts: names.map((name) => ({
        match: `^${name.slice(0, 3)}`,
        hosts: [name],
        maxRunning: 9,
      })),
      hostAccess: {
        [hosts.https]: { ...tlsAccessTo(guarded), caFile },
        [hosts.ssh]: { ...sshAccessTo(guarded, knownHostsFile()), identityFile: keyFile },
      },
      dockerCircuitBreakerResetTimeoutSeconds: 1,
    },
  });
  const jobs = await Promise.all(
    ["htt", "ssh"].map((task) => enqueue(app.url, task, { command: writing(120) })),
  );
  await Promise.all(jobs.map((job) => untilExecution(job, ({ log }) => log.includes("line 9\n"))));

  put(caFile, readFileSync(makeAuthority(`${folder.path}/later`).caFile));
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", `${folder.path}/wrong`]);
  put(keyFile, readFileSync(`${folder.path}/wrong`));
  await guarded.killSshd();
  await guarded.startSshd();
  const [badCertificate, badKey] = [
    await untilHostOf(app.url, hosts.https, ({ available, error }) => !available && error !== null),
    await untilHostOf(app.url, hosts.ssh, ({ error }) => error?.includes("does not let") ?? false),
  ];
  const meanwhile = await Promise.all(jobs.map((job) => untilExecution(job, () => true)));
  put(caFile, goodCa);
  put(keyFile, goodKey);

  expect(badCertificate.error).toContain("its certificate is not signed by a trusted authority");
  expect(badKey.available).toBe(false);
  expect(meanwhile.map(({ status }) => status)).toEqual(["running", "running"]);
  for (const job of jobs) {
    expect(await untilEnded(job)).toMatchObject({ exitCode: 7, log: `${lines(120)}rest` });
  }
});

test("a node that stops ends its ssh connections", async () => {
  const log = () => readFileSync(`${guarded.folder}/ssh/sshd.log`, "utf8");
  const ends = () => log().match(/Connection (closed|reset)|Disconnected from user/g)?.length ?? 0;
  await using app = await startTestApp({
    config: {
      dockerHosts: [{ match: "", hosts: [hosts.ssh], maxRunning: 1 }],
      hostAccess: { [hosts.ssh]: sshAccessTo(guarded, knownHostsFile()) },
    },
  });
  expect(await untilEnded(await enqueue(app.url, "ssh", { command: "true" }))).toMatchObject({
    status: "done",
  });
  const before = ends();

  await app[Symbol.asyncDispose]();

  await eventually(
    () => (ends() > before ? true : undefined),
    () => `no session ended: ${log()}`,
  );
});

test("when all is done, nothing is left on the engines, and standard error is the log alone", async () => {
  await untilNoContainers(open.docker, database.installation);
  await untilNoContainers(guarded.docker, database.installation);

  for (const line of fastlane.stderr().trimEnd().split("\n"))
    expect(() => JSON.parse(line), line).not.toThrow();
});
