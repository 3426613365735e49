import { expect, test } from "bun:test";
import { mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileTarget } from "../../src/app/file-target.ts";
import { COMMAND } from "./command.ts";

test("a file is written to where a link leads, and over nothing that is no file", async () => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "fastlane-target-")));
  await writeFile(`${folder}/there`, "");
  await symlink("there", `${folder}/link`);
  await symlink("to-be", `${folder}/open-link`);
  await symlink("/dev/full", `${folder}/device-link`);
  const targetOf = (path: string) => fileTarget(path).catch(String);

  const targets = await Promise.all(
    ["there", "new", "link", "open-link", "device-link", "."].map((name) =>
      targetOf(`${folder}/${name}`),
    ),
  );
  await rm(folder, { recursive: true });

  expect(targets).toEqual([
    `${folder}/there`,
    `${folder}/new`,
    `${folder}/there`,
    `${folder}/to-be`,
    "Error: it is no file; use - for standard output",
    "Error: it is a folder; name a file in it",
  ]);
});

test("a backup is not written to a terminal", async () => {
  let shown = "";
  const child = Bun.spawn([...COMMAND, "backup", "-"], {
    env: { PATH: process.env["PATH"] ?? "" },
    terminal: {
      data(_, bytes) {
        shown += new TextDecoder().decode(bytes);
      },
    },
  });

  expect(await child.exited).toBe(2);
  expect(shown).toStartWith("Cannot write the backup to a terminal");
});
