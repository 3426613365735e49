import { afterAll, beforeAll, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { knownHost, verdictOn } from "../../src/farm/known-hosts.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fastlane-known-hosts-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const KEY = Buffer.from("the key").toString("base64");
const OTHER = Buffer.from("another key").toString("base64");
const verdict = (file: string, name: string, port = 22) =>
  verdictOn(knownHost(file, name, port), Buffer.from(KEY, "base64"));

test.each<[string, string, number, string]>([
  [`host ssh-ed25519 ${KEY}`, "host", 22, "trusted"],
  [`host ssh-ed25519 ${KEY} a comment`, "HOST", 22, "trusted"],
  [`  host\tssh-ed25519  ${KEY}\r`, "host", 22, "trusted"],
  [`host,10.0.0.9 ssh-ed25519 ${KEY}`, "10.0.0.9", 22, "trusted"],
  [`fd00::9 ssh-ed25519 ${KEY}`, "fd00::9", 22, "trusted"],
  [`[fd00::9]:2222 ssh-ed25519 ${KEY}`, "fd00::9", 2222, "trusted"],
  [`[host]:2222 ssh-ed25519 ${KEY}`, "host", 2222, "trusted"],
  [`[host]:2222 ssh-ed25519 ${KEY}`, "host", 22, "other"],
  [`host ssh-ed25519 ${KEY}`, "host", 2222, "other"],
  [`*.example ssh-ed25519 ${KEY}`, "a.b.example", 22, "trusted"],
  [`*.example ssh-ed25519 ${KEY}`, "example", 22, "other"],
  [`10.0.0.? ssh-ed25519 ${KEY}`, "10.0.0.9", 22, "trusted"],
  [`10.0.0.? ssh-ed25519 ${KEY}`, "10.0.0.10", 22, "other"],
  [`10.0.0.9 ssh-ed25519 ${KEY}`, "10x0x0x9", 22, "other"],
  [`*,!bad.example ssh-ed25519 ${KEY}`, "good.example", 22, "trusted"],
  [`*,!bad.example ssh-ed25519 ${KEY}`, "bad.example", 22, "other"],
  [`!bad.example ssh-ed25519 ${KEY}`, "good.example", 22, "other"],
  [`host ssh-ed25519 ${OTHER}`, "host", 22, "other"],
  [`host ssh-ed25519 ${OTHER}\nhost ssh-rsa ${KEY}`, "host", 22, "trusted"],
  [`# host ssh-ed25519 ${KEY}`, "host", 22, "other"],
  [`host ssh-ed25519`, "host", 22, "other"],
  ["", "host", 22, "other"],
  [`@revoked host ssh-ed25519 ${KEY}`, "host", 22, "revoked"],
  [`host ssh-ed25519 ${KEY}\n@revoked * ssh-ed25519 ${KEY}`, "host", 22, "revoked"],
  [`host ssh-ed25519 ${KEY}\n@revoked other ssh-ed25519 ${KEY}`, "host", 22, "trusted"],
  [`@cert-authority host ssh-ed25519 ${KEY}`, "host", 22, "other"],
  [`|1|AAAA|BBBB ssh-ed25519 ${KEY}`, "host", 22, "other"],
  [`|2|AAAA|BBBB ssh-ed25519 ${KEY}`, "host", 22, "other"],
])("by the line %j, the key of %s at port %p is %s", (file, name, port, expected) => {
  expect(verdict(file, name, port)).toBe(expected as ReturnType<typeof verdict>);
});

test("names that ssh-keygen has hashed are found", () => {
  const path = join(folder, "known_hosts");
  const key = join(folder, "key");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  const [type = "", encoded = ""] = readFileSync(`${key}.pub`, "utf8").split(" ");
  writeFileSync(path, `host,10.0.0.9 ${type} ${encoded}\n[host]:2222 ${type} ${encoded}\n`);
  execFileSync("ssh-keygen", ["-q", "-H", "-f", path], { stdio: "ignore" });
  const file = readFileSync(path, "utf8");

  const isKnown = (name: string, port: number) =>
    verdictOn(knownHost(file, name, port), Buffer.from(encoded, "base64")) === "trusted";

  expect(file).not.toContain("host");
  expect([isKnown("host", 22), isKnown("10.0.0.9", 22), isKnown("host", 2222)]).toEqual([
    true,
    true,
    true,
  ]);
  expect([isKnown("other", 22), isKnown("host", 2223)]).toEqual([false, false]);
});
