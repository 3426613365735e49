import { afterAll, beforeAll, expect, test } from "bun:test";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:tls";
import type { TlsAccess } from "../../src/core/host-access.ts";
import { dockerHost } from "../../src/farm/docker-host.ts";
import { reach, temporaryFolder, tlsAccessTo } from "../support/access.ts";
import { makeAuthority } from "../support/certificates.ts";
import { type NetworkEngine, startEngine } from "../support/engine.ts";

let engine: NetworkEngine;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  engine = await startEngine({ network: true, listen: "tls", ssh: true });
}, 120_000);
afterAll(async () => {
  await engine.stop();
  await folder[Symbol.asyncDispose]();
}, 120_000);

const file = (name: string) => `${folder.path}/${name}`;

const overTls = (access: Partial<TlsAccess> = {}) =>
  reach(`https://${engine.address}:2376`, { ...tlsAccessTo(engine), ...access });

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
  expect(await reach(`https://127.0.0.1:${port}`, access)).toContain(words);

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

test.each<[string, string]>([
  ["tcp://no-such-host.invalid:2375", "there is no machine of that name"],
  ["tcp://127.0.0.1:1", "nothing listens there, or it cannot be reached"],
  ["unix:///no/such.sock", "there is no such socket"],
  ["https://no-such-host.invalid", "there is no machine of that name"],
  ["https://127.0.0.1:1", "nothing listens there, or it cannot be reached"],
])("%s is not reached, and why is said in words", async (name, words) => {
  expect(await reach(name, { kind: "https" })).toContain(words);
});

test("what speaks another protocol than it is asked in is no engine", async () => {
  const plain = `tcp://${engine.address}:2376`;
  const ssh = `https://${engine.address}:22`;

  expect(await reach(plain)).toContain("it answers as no engine does");
  expect(await reach(ssh, tlsAccessTo(engine))).toContain("it does not speak TLS");
});
