import { expect, test } from "bun:test";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fastlane } from "../cli/command.ts";

/** docs/systemd.md tells it, and why it is not lower. */
const MOST_EXPOSURE = 1.3;

test.each([
  { service: "up", unit: "fastlane" },
  { service: "api", unit: "fastlane-api" },
  { service: "worker", unit: "fastlane-worker" },
])(
  "systemd finds nothing wrong with the unit of $service, nor more open than is told",
  async ({ service, unit }) => {
    using folder = unitFolder();
    const units = [`${unit}.service`];
    folder.write(`${unit}.service`, await printed([service, "--binary", "/bin/true"]));
    if (service !== "worker") {
      units.push(`${unit}.socket`);
      folder.write(`${unit}.socket`, await printed([service, "--socket"]));
    }

    const verified = spawnSync("systemd-analyze", ["verify", "--man=no", ...units], folder.at);
    const exposure = execFileSync(
      "systemd-analyze",
      ["security", "--offline=true", "--no-pager", `./${unit}.service`],
      { ...folder.at, encoding: "utf8" },
    );

    expect({ says: verified.stderr, code: verified.status }).toEqual({ says: "", code: 0 });
    expect(Number(/level for \S+: ([\d.]+)/.exec(exposure)?.[1])).toBeLessThanOrEqual(
      MOST_EXPOSURE,
    );
  },
);

test("the unit has what its flags say, and asks for Docker's socket only where it is needed", async () => {
  const all = ["--binary", "/opt/100%/fast lane", "--config", "/srv/f.toml", "--user", "deploy"];

  const unit = await printed([
    "worker",
    ...all,
    "--credential",
    "hook",
    "--docker-group",
    "engine",
  ]);
  const api = await printed(["api", "--binary", "/usr/bin/fastlane"]);
  const without = await printed(["up", "--binary", "/usr/bin/fastlane", "--no-docker-group"]);

  expect(unit).toContain('ExecStart="/opt/100%%/fast lane" worker --config /srv/f.toml\n');
  expect(unit).toContain("User=deploy\nGroup=deploy\n");
  expect(unit).toContain("SupplementaryGroups=engine\n");
  expect(unit).toContain("LoadCredential=databaseUrl:fastlane.databaseUrl\n");
  expect(unit).toContain("LoadCredential=hook:fastlane.hook\n");
  expect(api + without).not.toContain("SupplementaryGroups");
});

test.each([
  [["--user", "ro ot"], /Allowed are letters/],
  [["--credential", "a:/etc/shadow"], /Allowed are letters/],
  [["--socket", "--listen", "localhost:99999"], /must be a port, or ADDRESS:PORT/],
  [["--listen", "0.0.0.0:80"], /say fastlane systemd --socket --listen 0\.0\.0\.0:80/],
  [["--binary", "dist/fastlane"], /must be an absolute path/],
  [["worker", "--socket"], /it has no API; allowed are up and api/],
  [["everything"], /Allowed choices are up, api, worker/],
])("%p is refused with what is allowed", async (args, says) => {
  const { code, stdout, stderr } = await fastlane(["systemd", ...args]);

  expect(code).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toMatch(says);
});

test.each([
  [
    "--binary",
    "/home/me/fastlane/dist/fastlane",
    /cannot start \S+, .*: install .* as by `install /,
  ],
  ["--binary", "/tmp/fastlane", /cannot start \/tmp\/fastlane,/],
  ["--config", "/root/fastlane.toml", /cannot read \/root\/fastlane\.toml,/],
])(
  "of %s %s, which the unit hides from the service, its user is warned",
  async (flag, path, says) => {
    const { code, stdout, stderr } = await fastlane([
      "systemd",
      "--binary",
      "/bin/true",
      flag,
      path,
    ]);

    expect(code).toBe(0);
    expect(stdout).toContain(path);
    expect(stderr).toMatch(says);
  },
);

async function printed(args: string[]): Promise<string> {
  const { stdout, stderr } = await fastlane(["systemd", ...args]);
  expect(stderr).toBe("");
  return stdout;
}

/** Systemd looks there for units that others name. */
function unitFolder() {
  const folder = mkdtempSync(join(tmpdir(), "fastlane-units-"));
  return {
    at: { cwd: folder, encoding: "utf8" as const },
    write: (name: string, text: string) => writeFileSync(join(folder, name), text),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}
