import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { hostAndPort } from "../../src/core/host-name.ts";
import { knownHostsLine, sshAccessTo, temporaryFolder, tlsAccessTo } from "../support/access.ts";
import { startTestApp } from "../support/app.ts";
import { type Enqueued, enqueue, untilEnded, untilExecution } from "../support/client.ts";
import { recordStarts, type StartRecord, untilNoContainers } from "../support/containers.ts";
import { type NetworkEngine, startEngine, startNetwork } from "../support/engine.ts";
import { untilHost } from "../support/hosts.ts";

const LINES = Array.from({ length: 60 }, (_, i) => `line ${i + 1}\n`).join("");
const SCRIPT = "for i in $(seq 1 60); do echo line $i; sleep 0.3; done; echo over >&2; exit 4";

test("three hosts are broken one after the other while they run, and every execution is accounted for", async () => {
  await using disposals = new AsyncDisposableStack();
  const network = disposals.use(await startNetwork());
  const [tcp, tls, ssh] = await Promise.all([
    startEngine({ network, listen: "tcp", liveRestore: true }),
    startEngine({ network, listen: "tls", liveRestore: true }),
    startEngine({ network, ssh: true, liveRestore: true }),
  ]);
  const engines = [tcp, tls, ssh];
  for (const engine of engines) disposals.use(engine);
  const folder = disposals.use(await temporaryFolder());
  const knownHosts = `${folder.path}/known_hosts`;
  writeFileSync(knownHosts, knownHostsLine(ssh));
  const names = [
    `tcp://${tcp.address}:2375`,
    `https://${tls.address}:2376`,
    `ssh://deploy@${ssh.address}`,
  ];
  const [tcpName = "", tlsName = "", sshName = ""] = names;
  const app = disposals.use(
    await startTestApp({
      config: {
        dockerHosts: [{ match: "", hosts: names, maxRunning: 40 }],
        hostAccess: { [tlsName]: tlsAccessTo(tls), [sshName]: sshAccessTo(ssh, knownHosts) },
        dockerCircuitBreakerMaxFails: 2,
        dockerCircuitBreakerResetTimeoutSeconds: 1,
      },
    }),
  );
  for (const name of names) await untilHost(app.url, name, ({ available }) => available);
  const records: StartRecord[] = [];
  const record = async (engine: NetworkEngine) => {
    records.push(disposals.use(await recordStarts(engine.docker)));
  };
  for (const engine of engines) await record(engine);
  const begun: Enqueued[] = [];
  for (let i = 0; i < 9; i++) {
    begun.push(await enqueue(app.url, "long", { command: ["sh", "-c", SCRIPT] }));
  }
  for (const job of begun) await untilExecution(job, ({ log }) => log.includes("line 1\n"));

  const during: Enqueued[] = [];
  const broken = async (
    name: string,
    breakIt: () => Promise<void>,
    mendIt: () => Promise<void>,
  ): Promise<void> => {
    await breakIt();
    await untilHost(app.url, name, ({ available }) => !available);
    const job = await enqueue(app.url, "short", { command: "echo short" });
    during.push(job);
    const { docker_host } = (await untilEnded(job)).metadata;
    expect(docker_host).not.toBe(hostAndPort(name).host);
    await mendIt();
    await untilHost(app.url, name, ({ available }) => available);
  };
  await broken(
    tcpName,
    () => tcp.refuse(),
    () => tcp.heal(),
  );
  await broken(
    tlsName,
    () => tls.cut(),
    () => tls.heal(),
  );
  await broken(
    sshName,
    () => ssh.pause(),
    () => ssh.resume(),
  );
  await broken(
    tcpName,
    () => tcp.kill("SIGKILL"),
    async () => {
      await tcp.start();
      // With what it remembers, which is all since it is back.
      records.push(disposals.use(await recordStarts(tcp.docker, { since: 0 })));
    },
  );
  await broken(
    sshName,
    () => ssh.killSshd(),
    () => ssh.startSshd(),
  );

  for (const job of begun) {
    const ended = await untilEnded(job);
    expect(ended).toMatchObject({ status: "failed", failureCause: "exit_code", exitCode: 4 });
    expect([ended.log, ended.error.split("\n")[0]]).toEqual([LINES, "over"]);
  }
  for (const job of during) expect((await untilEnded(job)).log).toBe("short\n");
  for (const { executionId } of [...begun, ...during]) {
    const starts = records.reduce((sum, each) => sum + each.of(executionId), 0);
    expect(starts).toBe(1);
  }
  for (const { docker } of engines) await untilNoContainers(docker, app.database.installation);
}, 240_000);
