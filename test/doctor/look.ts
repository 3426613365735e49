import { loadConfig } from "../../src/config/load.ts";
import { examine } from "../../src/doctor/examination.ts";
import type { Finding } from "../../src/doctor/finding.ts";

export const VERSION = "1.2.3";

export interface LookOptions {
  /** Keys of the configuration, over a Postgres and a host that are not there. */
  config?: Record<string, unknown>;
  withCanary?: boolean;
  signal?: AbortSignal;
}

/** What the doctor finds, with the configuration given as its user would. */
export async function look(options: LookOptions): Promise<Finding[]> {
  const { config: given = {}, withCanary = false, signal } = options;
  const keys = {
    databaseUrl: "postgres://127.0.0.1:1/none",
    dockerHosts: [{ hosts: ["unix:///nonexistent.sock"] }],
    dockerConfigFile: "",
    noAuth: true,
    ...given,
  };
  const environment = Object.fromEntries(
    Object.entries(keys).map(([key, value]) => [
      `FASTLANE_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
  const found: Finding[] = [];
  await examine({
    config: loadConfig({ environment, flags: {}, configFile: "/dev/null" }),
    version: VERSION,
    withCanary,
    signal: signal ?? new AbortController().signal,
    onFindings: (findings) => found.push(...findings),
  });
  return found;
}

/** What was found about a subject, each as `level: message`. */
export function about(findings: readonly Finding[], subject: string): string[] {
  return findings
    .filter((finding) => finding.subject === subject)
    .map(({ level, message }) => `${level}: ${message}`);
}

/** The one finding about a subject whose message fits. */
export function theOne(findings: readonly Finding[], subject: string, message: RegExp): Finding {
  const [found, ...more] = findings.filter(
    (finding) => finding.subject === subject && message.test(finding.message),
  );
  if (found === undefined || more.length > 0) {
    throw new Error(`Not one finding fits ${message}: ${Bun.inspect(about(findings, subject))}`);
  }
  return found;
}
