import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { fastlane } from "./command.ts";

const bash = (await fastlane(["completion", "bash"])).stdout;

/** What bash offers for the words, the last of which is being typed. */
function offered(...words: string[]): string[] {
  const line = ["fastlane", ...words].map((word) => `'${word}'`).join(" ");
  const script = `${bash}\nCOMP_WORDS=(${line}) COMP_CWORD=${words.length}\n_fastlane\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync("bash", ["--norc", "-euc", script], { encoding: "utf8" });
  expect(stderr).toBe("");
  return stdout.split("\n").filter((word) => word !== "");
}

test("bash completes commands, those below them, flags and what flags may be", () => {
  expect(offered("sta")).toEqual(["status"]);
  expect(offered("hosts", "d")).toEqual(["drain"]);
  expect(offered("hosts", "drain", "--dead")).toEqual(["--deadline"]);
  expect(offered("token", "create", "ci", "--role", "")).toEqual([
    "viewer",
    "submitter",
    "operator",
    "admin",
  ]);
  expect(offered("completion", "z")).toEqual(["zsh"]);
  expect(offered("executions", "--json", "--st")).toEqual(["--status"]);
});

test("bash is left to complete the names of files", () => {
  expect(offered("up", "--config", "/et")).toEqual([]);
});

test("zsh and fish have the same commands and flags", async () => {
  for (const shell of ["zsh", "fish"]) {
    const { stdout } = await fastlane(["completion", shell]);
    for (const word of ["drain", "deadline", "submitter"]) expect(stdout).toContain(word);
  }
});

test("another shell is refused with those that there are", async () => {
  const { code, stderr } = await fastlane(["completion", "csh"]);

  expect(code).toBe(2);
  expect(stderr).toContain("bash, zsh, fish");
});
