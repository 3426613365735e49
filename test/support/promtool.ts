import { existsSync } from "node:fs";

const UNPACKED = new URL("../../build/tools/usr/bin/promtool", import.meta.url).pathname;

/** Prometheus' own checks, which scripts/test has unpacked. Resolves with what it said; throws if it found faults. */
export async function promtool(
  args: readonly string[],
  { cwd = "/", input = "" }: { cwd?: string; input?: string } = {},
): Promise<string> {
  const program = existsSync(UNPACKED) ? UNPACKED : "promtool";
  const child = Bun.spawn([program, ...args], {
    cwd,
    stdin: new TextEncoder().encode(input),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, faults, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const said = `${out}${faults}`;
  if (code !== 0) throw new Error(`promtool ${args.join(" ")}: ${said}`);
  return said;
}
