import { expect, test } from "bun:test";
import { execFileSync } from "node:child_process";

const ROOT = new URL("../../", import.meta.url).pathname;

interface Service {
  ports?: string[];
  read_only?: boolean;
  privileged?: boolean;
  profiles?: string[];
}

interface Configuration {
  services: Record<string, Service>;
  secrets: Record<string, { file: string }>;
}

test("compose takes compose.yaml, and reads in it what is meant", () => {
  const output = execFileSync("docker-compose", ["--file", "compose.yaml", "config"], {
    cwd: ROOT,
    encoding: "utf8",
    env: { PATH: process.env["PATH"] ?? "" },
  });

  const { services, secrets } = Bun.YAML.parse(output) as Configuration;
  const privileged = Object.keys(services).filter((name) => services[name]?.privileged);
  expect(Object.keys(services).sort()).toEqual(["docker", "fastlane", "postgres"]);
  expect(Object.keys(secrets).sort()).toEqual(["database-url", "postgres-password"]);
  expect(services["fastlane"]?.ports).toEqual(["127.0.0.1:10000:10000/tcp"]);
  expect(services["fastlane"]?.read_only).toBe(true);
  expect(services["postgres"]?.ports).toBeUndefined();
  // Only for who asks for it.
  expect(privileged).toEqual(["docker"]);
  expect(services["docker"]?.profiles).toEqual(["docker"]);
});
