import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig, type Sources } from "../../src/config/load.ts";
import { ORDINARY } from "../../src/core/confinement.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fastlane-config-"));
});
afterAll(() => rm(folder, { recursive: true }));

const load = (sources: Partial<Sources>) =>
  loadConfig({ environment: {}, flags: {}, configFile: "/dev/null", ...sources });

async function fileOf(text: string): Promise<string> {
  const path = join(folder, `${crypto.randomUUID()}.toml`);
  await writeFile(path, text);
  return path;
}

test("with nothing said there is the local engine on a loopback port", () => {
  expect(load({})).toMatchObject({
    port: 10_000,
    host: "127.0.0.1",
    dockerHosts: [{ match: "", hosts: ["unix:///var/run/docker.sock"] }],
    paginationPerPage: 10,
    maxLogBytes: 268_435_456,
    retention: { logsDays: 30, failedLogsDays: 90, executionsDays: 180, auditDays: 365 },
  });
});

test("flags go over the environment, and that over the file", async () => {
  const configFile = await fileOf('port = 1\nlogLevel = "error"\npaginationPerPage = 3\n');

  const config = load({
    configFile,
    environment: { FASTLANE_PORT: "2", FASTLANE_LOG_LEVEL: "debug" },
    flags: { port: "4", host: undefined },
  });

  expect(config).toMatchObject({ port: 4, logLevel: "debug", paginationPerPage: 3 });
});

test("FASTLANE_CONFIG names the file unless a flag does", async () => {
  const environment = { FASTLANE_CONFIG: await fileOf("port = 1\n") };

  expect(load({ environment, configFile: undefined }).port).toBe(1);
  expect(load({ environment, configFile: await fileOf("port = 2\n") }).port).toBe(2);
  const empty = { FASTLANE_CONFIG: "", FASTLANE_PORT: "3" };
  expect(load({ environment: empty, configFile: undefined }).port).toBe(3);
});

test("a list or table in the environment is JSON", () => {
  const pools = [{ match: "^a", hosts: ["tcp://10.0.0.7:2375"], maxRunning: 3 }];
  const environment = {
    FASTLANE_DOCKER_HOSTS: JSON.stringify(pools),
    FASTLANE_TRUSTED_PROXIES: '["10.0.0.0/8", "::1"]',
    DATABASE_URL: "postgres://a@b/c",
  };

  const config = load({ environment });

  expect(config.dockerHosts).toEqual(pools);
  expect(config.trustedProxies).toEqual(["10.0.0.0/8", "::1"]);
  expect(config.databaseUrl).toBe("postgres://a@b/c");
});

test("a swarm is a host of its pool, beside its manager as a host, and is reached in the same way", () => {
  const manager = "https://manager:2376";
  const pools = [{ match: "^a", swarm: manager, maxRunning: 3 }, { hosts: [manager] }];
  const access = { [manager]: { caFile: "/ca.pem" } };
  const environment = {
    FASTLANE_DOCKER_HOSTS: JSON.stringify(pools),
    FASTLANE_HOST_ACCESS: JSON.stringify(access),
  };

  const config = load({ environment });

  expect(config.dockerHosts).toEqual([
    { match: "^a", hosts: [`swarm+${manager}`], maxRunning: 3 },
    { match: "", hosts: [manager], maxRunning: 20 },
  ]);
  const only = load({
    environment: { ...environment, FASTLANE_DOCKER_HOSTS: JSON.stringify([{ swarm: manager }]) },
  });
  expect(only.hostAccess[manager]).toMatchObject({ kind: "https", caFile: "/ca.pem" });
});

test("a pool's policy is read whole: sizes in bytes, capabilities by their bare names", async () => {
  const configFile = await fileOf(`
    [[dockerHosts]]
    hosts = ["a:1"]
    [dockerHosts.allow]
    images = ["docker.io/library/*", "registry.example:5000/team/**:1.*"]
    digestsOnly = true
    maxCpus = 2
    maxMemory = "2g"
    maxPids = 512
    [dockerHosts.containers]
    cpus = 0.5
    memory = "2048m"
    runtime = "runsc"
    readOnlyRoot = true
    capabilities = ["chown", "CAP_NET_RAW"]
    noNewPrivileges = false
  `);

  const [pool] = load({ configFile }).dockerHosts;

  expect(pool?.allow).toEqual({
    images: ["docker.io/library/*", "registry.example:5000/team/**:1.*"],
    digestsOnly: true,
    networks: [],
    users: [],
    workdir: false,
    additionalDNSEntries: false,
    maxCpus: 2,
    maxMemoryBytes: 2 ** 31,
    maxPids: 512,
  });
  expect(pool?.containers).toEqual({
    cpus: 0.5,
    memoryBytes: 2 ** 31,
    runtime: "runsc",
    readOnlyRoot: true,
    capabilities: ["CHOWN", "NET_RAW"],
    noNewPrivileges: false,
  });
});

test("a table of containers that says nothing makes them as none does", () => {
  const environment = { FASTLANE_DOCKER_HOSTS: '[{"hosts": ["a:1"], "containers": {}}]' };

  expect(load({ environment }).dockerHosts[0]?.containers).toEqual(ORDINARY);
});

test.each<[string, string]>([
  ['{"allow": {"images": []}}', "0.allow.images must have at least one pattern"],
  ['{"allow": {"images": ["busybox"]}}', "0.allow.images.0 must be a pattern on the whole ref"],
  ['{"allow": {"digestsOnly": 1}}', "0.allow.digestsOnly must be true or false"],
  ['{"allow": {"maxCpus": 0}}', "0.allow.maxCpus must be a number from 0.01 to 1024"],
  ['{"allow": {"maxMemory": 2}}', "0.allow.maxMemory must be a size such as 512m or 2g"],
  ['{"allow": {"maxMemory": "1m"}}', "0.allow.maxMemory must be a size such as 512m or 2g"],
  ['{"allow": {"maxPids": 0}}', "0.allow.maxPids must be a whole number from 1 to 4194304"],
  ['{"allow": {"maxTime": 0}}', "0.allow.maxTime is no key; the keys are images, digestsOnly"],
  ['{"containers": 1}', "0.containers must be a table"],
  ['{"containers": {"tmpfs": "/tmp"}}', "0.containers.tmpfs is no key; the keys are cpus, memory"],
  ['{"containers": {"runtime": "a b"}}', "0.containers.runtime must be the name of a runtime"],
  ['{"containers": {"readOnlyRoot": 0}}', "0.containers.readOnlyRoot must be true or false"],
  ['{"containers": {"capabilities": ["ALL"]}}', "0.containers.capabilities.0 must be a capability"],
  ['{"containers": {"capabilities": "X"}}', "0.containers.capabilities must be a list"],
  [
    '{"containers": {"cpus": 4}, "allow": {"maxCpus": 2}}',
    "dockerHosts.0 must not have containers.cpus (4) above allow.maxCpus (2)",
  ],
  [
    '{"containers": {"memory": "3g"}, "allow": {"maxMemory": "2048m"}}',
    "dockerHosts.0 must not have containers.memory (3g) above allow.maxMemory (2g)",
  ],
  [
    '{"containers": {"pids": 2}, "allow": {"maxPids": 1}}',
    "dockerHosts.0 must not have containers.pids (2) above allow.maxPids (1)",
  ],
])("a policy of %s is refused: %s", (keys, message) => {
  const pool = { hosts: ["a:1"], ...JSON.parse(keys) };
  const environment = { FASTLANE_DOCKER_HOSTS: JSON.stringify([pool]) };

  expect(() => load({ environment })).toThrow(message);
});

test("a swarm that is to use a runtime is refused", () => {
  const pool = { swarm: "tcp://manager:2375", containers: { runtime: "runsc" } };
  const environment = { FASTLANE_DOCKER_HOSTS: JSON.stringify([pool]) };

  expect(() => load({ environment })).toThrow(
    "dockerHosts.0 must not have containers.runtime with a swarm",
  );
});

test("everything that is wrong is named at once", async () => {
  const configFile = await fileOf(
    'prot = 1\npots = 2\npaginationPerPage = 101\n[[dockerHosts]]\nhosts = ["nowhere"]\nmaxRuning = 3\n',
  );
  const environment = { FASTLANE_NO_SUCH: "x", FASTLANE_PORT: "abc", FASTLANE_CONSTRUCTOR: "y" };

  const wrong = () => load({ configFile, environment });

  for (const text of [
    "prot is no key",
    "pots is no key",
    "noSuch is no key",
    "constructor is no key",
    "dockerHosts.0.maxRuning is no key",
    "port must be a whole number from 0 to 65535",
    "paginationPerPage must be",
    "dockerHosts.0.hosts.0 must be",
  ]) {
    expect(wrong).toThrow(text);
  }
});

test.each<[Record<string, string>, string]>([
  [{ FASTLANE_DOCKER_HOSTS: "not json" }, "dockerHosts must be a list of pools"],
  [{ FASTLANE_DOCKER_HOSTS: "[]" }, "at least one pool"],
  [{ FASTLANE_DOCKER_HOSTS: '[{"hosts": []}]' }, "at least one host"],
  [{ FASTLANE_DOCKER_HOSTS: "[{}]" }, "dockerHosts.0 must have either hosts or swarm"],
  [
    { FASTLANE_DOCKER_HOSTS: '[{"hosts": ["a:1"], "swarm": "a:1"}]' },
    "dockerHosts.0 must have either hosts or swarm",
  ],
  [{ FASTLANE_DOCKER_HOSTS: '[{"swarm": "manager"}]' }, "dockerHosts.0.swarm must be unix://"],
  [{ FASTLANE_DOCKER_HOSTS: '[{"match": "(", "hosts": ["a:1"]}]' }, "regular expression"],
  [
    { FASTLANE_DOCKER_HOSTS: '[{"hosts": ["a:1"]}, {"hosts": ["b:1"]}]' },
    "two pools with the same match",
  ],
  [
    {
      FASTLANE_DOCKER_HOSTS:
        '[{"match": "^a", "hosts": ["a:1"]}, {"hosts": ["a:1"]}, {"match": "^b", "hosts": ["a:1"]}]',
    },
    'must have the pool with match "" last: it fits all, and "^b" can never match',
  ],
  [{ FASTLANE_TRUSTED_PROXIES: '["10.0.0.0/99"]' }, "trustedProxies.0 must be an IP address"],
  [{ FASTLANE_TRUSTED_PROXIES: '["proxy"]' }, "trustedProxies.0 must be an IP address"],
  [{ FASTLANE_PUBLIC_URL: "ftp://a" }, "publicUrl must be an http(s) URL"],
  [{ DATABASE_URL: "mysql://a" }, "databaseUrl must begin with postgres://"],
  [
    { FASTLANE_MAX_LOG_BYTES: "1048575" },
    "maxLogBytes must be a whole number from 1048576 to 68719476736",
  ],
  [{ FASTLANE_RETENTION: "30" }, "retention must be a table"],
  [
    { FASTLANE_RETENTION: '{"logsDays": 0}' },
    "retention.logsDays must be a whole number from 1 to 36500",
  ],
  [
    { FASTLANE_RETENTION: '{"auditDays": 36501}' },
    "retention.auditDays must be a whole number from 1 to 36500",
  ],
  [
    { FASTLANE_RETENTION: '{"executionDays": 7}' },
    "retention.executionDays is no key; did you mean executionsDays?",
  ],
  [
    { FASTLANE_RETENTION: '{"logsDays": 91}' },
    "retention must not have failedLogsDays (90) below logsDays (91)",
  ],
  [
    { FASTLANE_RETENTION: '{"executionsDays": 60}' },
    "retention must not have executionsDays (60) below failedLogsDays (90)",
  ],
])("%j is refused: %s", (environment, message) => {
  expect(() => load({ environment })).toThrow(message);
});

test.each([["0.0.0.0"], ["::"], ["10.0.0.1"], ["fastlane.example"]])(
  "on %s the service starts only when that was said aloud",
  (host) => {
    expect(() => load({ flags: { host } })).toThrow("--no-auth");
    expect(load({ flags: { host, noAuth: true } }).host).toBe(host);
    const environment = { FASTLANE_REQUIRE_AUTHENTICATION: "true" };
    expect(load({ flags: { host }, environment }).host).toBe(host);
  },
);

test.each([["127.0.0.1"], ["127.1.2.3"], ["localhost"], ["::1"]])("%s needs no word", (host) => {
  expect(load({ flags: { host } }).host).toBe(host);
});

test("a file that is not there, or is no TOML, is named", async () => {
  const broken = await fileOf("port = \n");

  expect(() => load({ configFile: "/no/such.toml" })).toThrow("/no/such.toml");
  expect(() => load({ configFile: broken })).toThrow(broken);
});

test.each([
  ['registries = { "r:1" = "ada:hunter2" }', "registries.r:1 must be a table"],
  ['[registries."r:1"]\nusername = "ada"\npassword="hunter2\n', ".toml:3:18: "],
  [
    '[registries."r:1"]\nusername = "ada"\npassword = ["hunter2"]',
    "registries.r:1.password must be",
  ],
])("what is wrong in %j is said without the password", async (text, words) => {
  const configFile = await fileOf(text);
  let message = "";

  try {
    load({ configFile });
  } catch (error) {
    message = String(error);
  }

  expect(message).toContain(words);
  expect(message).not.toContain("hunter2");
});

test("a registry is known by its name, however it is written", async () => {
  const configFile = await fileOf(
    '[registries."https://index.docker.io/v1/"]\nusername = "ada"\npassword = "x"\n' +
      '[registries.own]\nregistry = "https://r.example:5000/v2/"\nusername = "bob"\npassword = "y"',
  );

  const logins = Object.values(load({ configFile }).registries);

  expect(logins.map(({ registry }) => registry)).toEqual(["docker.io", "r.example:5000"]);
});
