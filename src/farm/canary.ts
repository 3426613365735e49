import type Docker from "dockerode";
import { LOG_CONFIG } from "./container.ts";
import { type Call, imagesOf, runProbe } from "./probe.ts";

export type Canary =
  /** No image is there that a container could be made of. */
  | { outcome: "no image" }
  /** The engine says no to such a container, or to its start; in its words. */
  | { outcome: "refused"; words: string }
  | {
      outcome: "ran";
      tookMs: number;
      /** Of the file system that containers write to; `null` when the image could not tell. */
      space: { freeBytes: number; totalBytes: number } | null;
    };

/** Those that have `df` for certain. */
const HAS_DF = /^(busybox|alpine)[:@]/;
/** The runtime was there and looked for it. */
const NO_SUCH_PROGRAM = 127;

/**
 * Runs a container as an execution's is run, which tells how much space there is where it would write.
 * Nothing is pulled for it.
 */
export async function runCanary(
  docker: Docker,
  call: Call,
  labels: Readonly<Record<string, string>>,
): Promise<Canary> {
  const images = await call("list images", (signal) => imagesOf(docker, signal));
  const rank = ({ RepoTags }: (typeof images)[number]) =>
    RepoTags.some((name) => HAS_DF.test(name)) ? 0 : 1;
  const [best] = images.sort((left, right) => rank(left) - rank(right) || left.Size - right.Size);
  if (best === undefined) return { outcome: "no image" };
  const canary = { image: best.Id, words: ["df", "-Pk", "/"], labels, logConfig: LOG_CONFIG };
  const begin = performance.now();
  const ended = await runProbe(docker, call, canary, async (container) => {
    const [state, log] = await Promise.all([
      call("inspect canary", (abortSignal) => container.inspect({ abortSignal })),
      call("read canary", (abortSignal) => container.logs({ stdout: true, abortSignal })),
    ]);
    return { state: state.State, said: Buffer.from(log).toString("utf8") };
  });
  if (ended === null) return { outcome: "refused", words: "it may not be created" };
  const { Status, ExitCode, Error: words } = ended.state;
  if (Status === "created" && ExitCode !== NO_SUCH_PROGRAM) return { outcome: "refused", words };
  return { outcome: "ran", tookMs: performance.now() - begin, space: spaceOf(ended.said) };
}

/** Reads the line that `df -Pk` writes under its heading. */
function spaceOf(text: string): { freeBytes: number; totalBytes: number } | null {
  const [, total, free] = /^\S+\s+(\d+)\s+\d+\s+(\d+)\s+\d+%\s/m.exec(text) ?? [];
  if (total === undefined || free === undefined) return null;
  return { freeBytes: Number(free) * 1_024, totalBytes: Number(total) * 1_024 };
}
