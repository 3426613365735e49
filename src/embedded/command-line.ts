import { execFile } from "node:child_process";

/**
 * The program of a postmaster that runs on this data, by what it was started with: macOS has no /proc.
 *
 * @returns `null` when no such process is there.
 */
export async function programByCommandLine(pid: number, data: string): Promise<string | null> {
  const line = await new Promise<string>((resolve) => {
    execFile("ps", ["-ww", "-o", "command=", "-p", `${pid}`], (_, output) => resolve(output));
  });
  return programIn(line, data);
}

/** @param line As `spawnPostmaster` starts it: the program, `-D`, the data, settings. */
export function programIn(line: string, data: string): string | null {
  const [program = "", rest] = line.split(` -D ${data} -c `, 2);
  return rest !== undefined && program.endsWith("/bin/postgres") ? program : null;
}
