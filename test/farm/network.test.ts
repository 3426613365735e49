import { expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { basename } from "node:path";
import { startEngine, startNetwork } from "../support/engine.ts";

test("engines on one network reach each other, until the way of one is cut", async () => {
  await using network = await startNetwork();
  await using here = await startEngine({ network });
  await using there = await startEngine({ network, listen: "tcp" });
  const ping = () => pingFrom(here.folder, there.address);

  expect(ping()).toBe("OK");

  await there.cut();
  expect(ping()).toBe("");
  await there.heal();
  expect(ping()).toBe("OK");
  await there.refuse();
  expect(ping()).toBe("");
  await there.heal();
  expect(ping()).toBe("OK");
});

/** What an engine's API says to another's namespace, `""` when that does not reach it. */
function pingFrom(folder: string, address: string): string {
  const url = `http://${address}:2375/_ping`;
  const script = `process.stdout.write(await (await fetch("${url}", { signal: AbortSignal.timeout(2_000) })).text())`;
  const command = [
    "nsenter",
    `--net=/run/netns/${basename(folder)}`,
    process.execPath,
    "-e",
    script,
  ];
  const [program = "", ...words] =
    process.getuid?.() === 0 ? command : ["sudo", "--non-interactive", ...command];
  try {
    return execFileSync(program, words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "";
  }
}
