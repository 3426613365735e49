import { afterAll, beforeAll, expect, test } from "bun:test";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { SshAccess } from "../../src/core/host-access.ts";
import { dockerHost } from "../../src/farm/docker-host.ts";
import { HostUnreachable } from "../../src/farm/host.ts";
import { knownHostsLine, reach, sshAccessTo, temporaryFolder } from "../support/access.ts";
import { eventually } from "../support/client.ts";
import { type NetworkEngine, startEngine } from "../support/engine.ts";

let engine: NetworkEngine;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  engine = await startEngine({ network: true, ssh: true });
  writeFileSync(file("known_hosts"), knownHostsLine(engine));
}, 120_000);
afterAll(async () => {
  await engine.stop();
  await folder[Symbol.asyncDispose]();
}, 120_000);

const file = (name: string) => `${folder.path}/${name}`;

const overSsh = (access: Partial<SshAccess> = {}) =>
  reach(`ssh://deploy@${engine.address}`, {
    ...sshAccessTo(engine, file("known_hosts")),
    ...access,
  });

function makeKey(name: string, passphrase = ""): string {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", passphrase, "-f", file(name)]);
  return file(name);
}

test("over ssh a host is reached by a known key, whichever of its types is known", async () => {
  writeFileSync(file("ecdsa"), knownHostsLine(engine, "ecdsa"));
  writeFileSync(file("hashed"), knownHostsLine(engine));
  execFileSync("ssh-keygen", ["-q", "-H", "-f", file("hashed")], { stdio: "ignore" });

  expect(await overSsh()).toBe("reached");
  expect(await overSsh({ knownHostsFile: file("ecdsa") })).toBe("reached");
  expect(await overSsh({ knownHostsFile: file("hashed") })).toBe("reached");
});

test("an ssh host whose key is unknown, another or revoked is refused, and the file is named; nobody logs in", async () => {
  const [, type = "", strange = ""] = readFileSync(`${makeKey("strange-host")}.pub`, "utf8")
    .replace(/^/, "x ")
    .split(" ");
  writeFileSync(file("empty"), "");
  writeFileSync(file("changed"), `${engine.address} ${type} ${strange}\n`);
  writeFileSync(file("revoked"), `${knownHostsLine(engine)}@revoked ${knownHostsLine(engine)}`);
  writeFileSync(file("rsa"), `${engine.address} ssh-rsa ${strange}\n`);
  const shown = `the host key of "${engine.address}"`;
  const before = logins();

  expect(await overSsh({ knownHostsFile: file("empty") })).toContain(
    `${shown} is unknown: "${file("empty")}" has none for it`,
  );
  expect(await overSsh({ knownHostsFile: file("missing") })).toContain(
    `${shown} is unknown: cannot read "${file("missing")}"`,
  );
  expect(await overSsh({ knownHostsFile: file("changed") })).toMatch(
    /\(SHA256:[\w+/]{43}\) is not the one that ".*changed" has for it/,
  );
  expect(await overSsh({ knownHostsFile: file("revoked") })).toContain(
    `is revoked in "${file("revoked")}"`,
  );
  expect(await overSsh({ knownHostsFile: file("rsa") })).toContain(
    `it shows no host key of a type that "${file("rsa")}" has for it (ssh-rsa)`,
  );
  expect(logins()).toBe(before);
});

test("an ssh key that the host does not take, or that cannot be used, is named", async () => {
  const wrong = makeKey("wrong");
  const locked = makeKey("locked", "open sesame");
  writeFileSync(file("passphrase"), "open sesame\n");

  expect(await overSsh({ identityFile: wrong })).toContain(
    `it does not let the user "deploy" in with the key in "${wrong}"`,
  );
  expect(await overSsh({ identityFile: locked })).toContain(
    `the key in "${locked}" cannot be used`,
  );
  expect(await overSsh({ identityFile: locked, passphraseFile: file("passphrase") })).toContain(
    "it does not let the user",
  );
  expect(await overSsh({ identityFile: file("none") })).toContain("cannot read the identityFile");
  expect(await overSsh({ identityFile: undefined })).toContain("there is no key to log in with");
  const defaults = { identityFile: undefined, defaultIdentityFiles: [file("none"), locked] };
  expect(
    await overSsh({
      ...defaults,
      defaultIdentityFiles: [...defaults.defaultIdentityFiles, `${engine.folder}/ssh/id_ed25519`],
    }),
  ).toBe("reached");
});

test("the keys of an agent count where the agent does", async () => {
  const agentSocket = file("agent.sock");
  const agent = spawn("ssh-agent", ["-D", "-a", agentSocket], { stdio: "ignore" });
  const withAgent = () => overSsh({ identityFile: undefined, agentSocket });
  const add = () =>
    spawnSync("ssh-add", ["-q", `${engine.folder}/ssh/id_ed25519`], {
      env: { ...process.env, SSH_AUTH_SOCK: agentSocket },
    }).status;
  await eventually(
    () => existsSync(agentSocket) || undefined,
    () => "ssh-agent does not listen",
  );

  expect(await withAgent()).toContain(`it does not let the user "deploy" in`);
  expect(add()).toBe(0);
  expect(await withAgent()).toBe("reached");

  agent.kill();
  await once(agent, "exit");
  expect(await withAgent()).toContain("the agent of SSH_AUTH_SOCK cannot be used");
});

test("an ssh host without an engine at that socket says so", async () => {
  expect(await overSsh({ socket: "/var/run/none.sock" })).toContain(
    `does not lead the user "deploy" to "/var/run/none.sock"`,
  );
});

test("40 calls at once go over one ssh connection, which ends with the host", async () => {
  const before = logins();
  const host = dockerHost(
    `ssh://deploy@${engine.address}`,
    sshAccessTo(engine, file("known_hosts")),
  );

  const calls = await Promise.all(Array.from({ length: 40 }, () => host.version()));
  expect(new Set(calls).size).toBe(1);
  expect(logins() - before).toBe(1);

  host.close();
  await expect(host.version()).rejects.toThrow("the host was left");
});

test("what an ssh connection that breaks was carrying fails, and does not look whole", async () => {
  const container = await engine.docker.createContainer({
    Image: "busybox",
    Cmd: ["sh", "-c", "while :; do echo line; sleep 0.1; done"],
  });
  const host = dockerHost(
    `ssh://deploy@${engine.address}`,
    sshAccessTo(engine, file("known_hosts")),
  );
  const signal = AbortSignal.timeout(60_000);
  const output = await host.watchOutput(container.id, signal);
  await host.start(container.id);

  let frames = 0;
  const following = (async () => {
    for await (const some of host.logs(container.id, { since: null, follow: true, signal })) {
      if (frames === 0) void engine.killSshd();
      frames += some.length;
    }
  })();

  await expect(following).rejects.toThrow(HostUnreachable);
  expect(frames).toBeGreaterThan(0);
  expect(await output.endedWithNewline("stdout")).toBeNull();
  await engine.startSshd();
  await host.remove(container.id, { force: true });
  host.close();
});

const logins = () =>
  readFileSync(`${engine.folder}/ssh/sshd.log`, "utf8").split("Accepted publickey").length;
