import { expect, test } from "bun:test";
import { loadConfig } from "../../src/config/load.ts";

const messageOf = (values: Record<string, unknown>) => {
  const environment = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, JSON.stringify(value)]),
  );
  try {
    loadConfig({ environment, flags: {}, configFile: "/dev/null" });
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
  return "it was taken";
};

test.each([
  ["maxRuning", "dockerHosts.0.maxRuning is no key; did you mean maxRunning?"],
  ["max_running", "did you mean maxRunning?"],
  ["MAX_RUNNING", "did you mean maxRunning?"],
  ["MaxRunning", "did you mean maxRunning?"],
  ["hots", "did you mean hosts?"],
  ["mtach", "did you mean match?"],
  ["logs_days", "is no key here; did you mean retention.logsDays?"],
  ["port", "is no key here; did you mean port at the top, before the first table?"],
  ["networks", "did you mean dockerHosts.0.allow.networks?"],
  ["colour", "is no key; the keys are match, hosts, swarm, maxRunning"],
  ["m".repeat(10_000), "m… is no key"],
  ["a\nb", "dockerHosts.0.a\u{fffd}b is no key"],
])("of %j in a pool is said: %s", (name, words) => {
  expect(messageOf({ FASTLANE_DOCKER_HOSTS: [{ hosts: ["a:1"], [name]: 1 }] })).toContain(words);
});

test("one of what there may be several of is known by its plural", () => {
  expect(messageOf({ FASTLANE_REGISTRY: { builder: {} } })).toContain(
    "registry is no key; did you mean registries?",
  );
});

test("what is meant is said of variables as well", () => {
  expect(messageOf({ FASTLANE_DOCKER_HOST: [] })).toContain(
    "FASTLANE_DOCKER_HOST: dockerHost is no key; did you mean dockerHosts?",
  );
});
