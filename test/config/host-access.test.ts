import { expect, test } from "bun:test";
import { homedir } from "node:os";
import { loadConfig } from "../../src/config/load.ts";

const TLS = "https://10.0.0.8:2376";
const SSH = "ssh://deploy@10.0.0.9";
const HOSTS = [TLS, "https://10.0.0.18", SSH, "ssh://deploy@10.0.0.19", "tcp://10.0.0.7:2375"];

function load(hostAccess: unknown, environment: Record<string, string> = {}) {
  const given = {
    FASTLANE_DOCKER_HOSTS: JSON.stringify([{ hosts: HOSTS }]),
    FASTLANE_HOST_ACCESS: JSON.stringify(hostAccess),
  };
  return loadConfig({
    environment: { ...given, ...environment },
    flags: {},
    configFile: "/dev/null",
  });
}

test("with nothing said, https is without a client certificate, and ssh has what ssh(1) has", () => {
  const { hostAccess } = load({}, { SSH_AUTH_SOCK: "/run/agent.sock" });

  expect(Object.keys(hostAccess)).toEqual(HOSTS.slice(0, 4));
  expect(hostAccess[TLS]).toEqual({
    kind: "https",
    caFile: undefined,
    certFile: undefined,
    keyFile: undefined,
  });
  expect(hostAccess[SSH]).toEqual({
    kind: "ssh",
    identityFile: undefined,
    defaultIdentityFiles: ["id_ed25519", "id_ecdsa", "id_rsa"].map(
      (name) => `${homedir()}/.ssh/${name}`,
    ),
    passphraseFile: undefined,
    agentSocket: undefined,
    knownHostsFile: `${homedir()}/.ssh/known_hosts`,
    socket: "/var/run/docker.sock",
  });
});

test("a host's own table goes over that of its kind, key by key", () => {
  const { hostAccess } = load(
    {
      https: { caFile: "/ca.pem" },
      [TLS]: { certFile: "/cert.pem", keyFile: "/key.pem" },
      ssh: { knownHostsFile: "/known_hosts", useAgent: true },
      [SSH]: { identityFile: "/id", socket: "/run/user/1000/docker.sock", useAgent: false },
    },
    { SSH_AUTH_SOCK: "/run/agent.sock" },
  );

  expect(hostAccess[TLS]).toMatchObject({ caFile: "/ca.pem", certFile: "/cert.pem" });
  expect(hostAccess["https://10.0.0.18"]).toMatchObject({ caFile: "/ca.pem", certFile: undefined });
  expect(hostAccess[SSH]).toMatchObject({
    identityFile: "/id",
    knownHostsFile: "/known_hosts",
    socket: "/run/user/1000/docker.sock",
    agentSocket: undefined,
  });
  expect(hostAccess["ssh://deploy@10.0.0.19"]).toMatchObject({
    knownHostsFile: "/known_hosts",
    agentSocket: "/run/agent.sock",
  });
});

test.each<[unknown, string]>([
  [{ "https://10.0.0.99:2376": {} }, "is for a host that no pool names"],
  [{ "ssh://other@10.0.0.9": {} }, "hostAccess.ssh://other@10.0.0.9 is for a host that no pool"],
  [{ "tcp://10.0.0.7:2375": {} }, "must be https, ssh, or an https or ssh host of a pool"],
  [{ tls: {} }, "hostAccess.tls must be https, ssh, or"],
  [{ ssh: { caFile: "/a" } }, "hostAccess.ssh.caFile is no key; the keys are identityFile"],
  [{ [TLS]: { socket: "/a" } }, "socket is no key; the keys are caFile, certFile, keyFile"],
  [{ [TLS]: { cafile: "/a" } }, "cafile is no key; did you mean caFile?"],
  [{ [TLS]: { certFile: "/a" } }, "must have certFile and keyFile together"],
  [{ [TLS]: { caFile: "ca.pem" } }, "caFile must be an absolute path"],
  [{ ssh: { useAgent: true } }, "useAgent needs the variable SSH_AUTH_SOCK, which is not set"],
  [{ ssh: { strictHostKeyChecking: false } }, "strictHostKeyChecking is no key"],
  [{ ssh: "~/.ssh/id_rsa" }, "hostAccess.ssh must be a table"],
])("%j is refused: %s", (hostAccess, message) => {
  expect(() => load(hostAccess)).toThrow(message);
});
