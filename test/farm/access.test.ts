import { afterAll, beforeAll, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:tls";
import type { HostAccess, SshAccess, TlsAccess } from "../../src/core/host-access.ts";
import { dockerHost } from "../../src/farm/docker-host.ts";
import { HostUnreachable } from "../../src/farm/host.ts";
import { knownHostsLine, sshAccessTo, temporaryFolder, tlsAccessTo } from "../support/access.ts";
import { makeAuthority } from "../support/certificates.ts";
import { type NetworkEngine, startEngine } from "../support/engine.ts";

let engine: NetworkEngine;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  engine = await startEngine({ network: true, listen: "tls", ssh: true });
  writeFileSync(file("known_hosts"), knownHostsLine(engine));
}, 120_000);
afterAll(async () => {
  await engine.stop();
  await folder[Symbol.asyncDispose]();
}, 120_000);

const file = (name: string) => `${folder.path}/${name}`;

/** The engine's version, or why it is not reached. */
async function versionOf(name: string, access?: HostAccess): Promise<string> {
  const host = dockerHost(name, access);
  try {
    await host.version();
    return "reached";
  } catch (error) {
    expect(error).toBeInstanceOf(HostUnreachable);
    return (error as Error).message;
  } finally {
    host.close();
  }
}

const overTls = (access: Partial<TlsAccess> = {}) =>
  versionOf(`https://${engine.address}:2376`, { ...tlsAccessTo(engine), ...access });
const overSsh = (access: Partial<SshAccess> = {}, name = `ssh://deploy@${engine.address}`) =>
  versionOf(name, { ...sshAccessTo(engine, file("known_hosts")), ...access });

function makeKey(name: string, passphrase = ""): string {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", passphrase, "-f", file(name)]);
  return file(name);
}

test("over TLS a host is reached with a client certificate that it trusts, and no other", async () => {
  const strange = makeAuthority(file("strange"));

  expect(await overTls()).toBe("reached");
  expect(await overTls({ certFile: undefined, keyFile: undefined })).toContain(
    "it refuses the client certificate, or wants one",
  );
  expect(await overTls(strange.issueClient("client"))).toContain(
    "it refuses the client certificate",
  );
});

test("a host whose certificate no named authority has signed is refused", async () => {
  const strange = makeAuthority(file("strange-ca"));

  expect(await overTls({ caFile: strange.caFile })).toContain(
    `its certificate is not signed by a trusted authority`,
  );
  expect(await overTls({ caFile: strange.caFile })).toContain(`"${strange.caFile}" is what counts`);
  expect(await overTls({ caFile: undefined })).toContain("the system's are what counts");
});

test("NODE_TLS_REJECT_UNAUTHORIZED decides nothing", async () => {
  process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
  try {
    expect(await overTls({ caFile: undefined })).toContain("not signed by a trusted authority");
  } finally {
    delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
  }
});

test.each([
  ["expired", "its certificate has expired"],
  ["for another name", "its certificate is for another name"],
])("a host whose certificate is %s is refused", async (kind, words) => {
  const authority = makeAuthority(file(kind.replaceAll(" ", "-")));
  const { certFile, keyFile } =
    kind === "expired"
      ? authority.issueExpired("server", "127.0.0.1")
      : authority.issueServer("server", "10.0.0.8");
  const server = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) });
  await once(server.listen(0, "127.0.0.1"), "listening");

  const { port } = server.address() as AddressInfo;
  const access: TlsAccess = { kind: "https", caFile: authority.caFile };
  expect(await versionOf(`https://127.0.0.1:${port}`, access)).toContain(words);

  server.close();
});

test("files of TLS that cannot be used are named, and are read anew each time", async () => {
  const { certFile, keyFile } = tlsAccessTo(engine);
  const renewed = file("renewed-ca.pem");
  const host = dockerHost(`https://${engine.address}`, { ...tlsAccessTo(engine), caFile: renewed });

  await expect(host.version()).rejects.toThrow(`cannot read the caFile "${renewed}"`);
  writeFileSync(renewed, "no certificate");
  await expect(host.version()).rejects.toThrow(`caFile "${renewed}" has no certificate in PEM`);
  writeFileSync(renewed, readFileSync(`${engine.folder}/tls/ca.pem`));
  await host.version();

  const serverKey = makeAuthority(file("other")).issueClient("client").keyFile;
  expect(await overTls({ keyFile: serverKey })).toContain("is not that of the certificate in");
  expect(await overTls({ keyFile: certFile })).toContain("has no private key in PEM");
  expect(await overTls({ certFile: keyFile })).toContain("has no certificate in PEM");
});

test("over ssh a host is reached by a known key, whichever of its types is known", async () => {
  writeFileSync(file("ecdsa"), knownHostsLine(engine, "ecdsa"));
  writeFileSync(file("hashed"), knownHostsLine(engine));
  execFileSync("ssh-keygen", ["-q", "-H", "-f", file("hashed")], { stdio: "ignore" });

  expect(await overSsh()).toBe("reached");
  expect(await overSsh({ knownHostsFile: file("ecdsa") })).toBe("reached");
  expect(await overSsh({ knownHostsFile: file("hashed") })).toBe("reached");
});

test("an ssh host whose key is unknown, another or revoked is refused, and the file is named", async () => {
  const [, type = "", strange = ""] = readFileSync(`${makeKey("strange-host")}.pub`, "utf8")
    .replace(/^/, "x ")
    .split(" ");
  writeFileSync(file("empty"), "");
  writeFileSync(file("changed"), `${engine.address} ${type} ${strange}\n`);
  writeFileSync(file("revoked"), `${knownHostsLine(engine)}@revoked ${knownHostsLine(engine)}`);
  writeFileSync(file("rsa"), `${engine.address} ssh-rsa ${strange}\n`);
  const shown = `the host key of "${engine.address}"`;

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

test("an ssh host without an engine at that socket says so", async () => {
  expect(await overSsh({ socket: "/var/run/none.sock" })).toContain(
    `does not lead the user "deploy" to "/var/run/none.sock"`,
  );
});

test.each<[string, string]>([
  ["tcp://no-such-host.invalid:2375", "there is no machine of that name"],
  ["tcp://127.0.0.1:1", "nothing listens there, or it cannot be reached"],
  ["unix:///no/such.sock", "there is no such socket"],
  ["https://no-such-host.invalid", "there is no machine of that name"],
  ["https://127.0.0.1:1", "nothing listens there, or it cannot be reached"],
])("%s is not reached, and why is said in words", async (name, words) => {
  expect(await versionOf(name, { kind: "https" })).toContain(words);
});

test("what speaks another protocol than it is asked in is no engine", async () => {
  const plain = `tcp://${engine.address}:2376`;
  const ssh = `https://${engine.address}:22`;

  expect(await versionOf(plain)).toContain("it answers as no engine does");
  expect(await versionOf(ssh, tlsAccessTo(engine))).toContain("it does not speak TLS");
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
