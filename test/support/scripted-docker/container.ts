import { randomBytes } from "node:crypto";
import { play, scriptOf } from "./script.ts";

type Stream = "stdout" | "stderr";

export interface ContainerBody {
  Image: string;
  Cmd?: string[];
  Env?: string[];
  Labels?: Record<string, string>;
  HostConfig?: Record<string, unknown>;
}

/** A line of the log. Real engines count nanoseconds; microseconds fit into a number. */
interface Line {
  atMicros: number;
  stream: Stream;
  text: string;
}

/** Who hears what a container does while it runs. */
export interface Listener {
  /** Bytes as they are written, and before the log has them as a line. */
  onOutput?(stream: Stream, text: string): void;
  onLine?(line: Line): void;
  onEnd(): void;
}

const KILLED = 137;
const NEVER = "0001-01-01T00:00:00Z";

/** A container whose command is a script; it behaves as an engine's, and costs a timer at most. */
export class ScriptedContainer {
  readonly id = randomBytes(32).toString("hex");
  readonly name: string;
  readonly body: ContainerBody;
  readonly createdAtMs = nowMs();
  status: "created" | "running" | "exited" = "created";
  exitCode = 0;
  startedAtMs: number | null = null;
  readonly #lines: Line[] = [];
  readonly #listeners = new Set<Listener>();
  readonly #unended: Record<Stream, string> = { stdout: "", stderr: "" };
  #finishedAtMs: number | null = null;
  #error = "";
  #kill = new AbortController();

  constructor(name: string, body: ContainerBody) {
    this.name = name;
    this.body = body;
  }

  /** @returns The engine's complaint when there is no such program. One that has ended runs again. */
  start(): string | null {
    const steps = scriptOf(this.body.Cmd ?? []);
    if (steps === null) {
      this.exitCode = 127;
      this.#error = `exec: "${this.body.Cmd?.[0]}": executable file not found in $PATH: unknown`;
      return this.#error;
    }
    this.status = "running";
    this.startedAtMs = nowMs();
    this.#kill = new AbortController();
    void play(steps, (stream, text) => this.#print(stream, text), this.#kill.signal).then(
      (exitCode) => this.#end(exitCode ?? KILLED),
    );
    return null;
  }

  kill(): void {
    this.#kill.abort();
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param sinceMicros Inclusive, as for an engine. */
  lines(sinceMicros: number): Line[] {
    return this.#lines.filter(({ atMicros }) => atMicros >= sinceMicros);
  }

  inspect(): unknown {
    return {
      Id: this.id,
      Name: `/${this.name}`,
      Created: textOf(this.createdAtMs * 1_000),
      Image: this.body.Image,
      State: {
        Status: this.status,
        Running: this.status === "running",
        Paused: false,
        Restarting: false,
        OOMKilled: false,
        Dead: false,
        ExitCode: this.exitCode,
        Error: this.#error,
        StartedAt: this.startedAtMs === null ? NEVER : textOf(this.startedAtMs * 1_000),
        FinishedAt: this.#finishedAtMs === null ? NEVER : textOf(this.#finishedAtMs * 1_000),
      },
      Config: { ...this.body, HostConfig: undefined, Labels: this.body.Labels ?? {} },
      HostConfig: this.body.HostConfig ?? {},
    };
  }

  summary(): unknown {
    return {
      Id: this.id,
      Names: [`/${this.name}`],
      Image: this.body.Image,
      Command: (this.body.Cmd ?? []).join(" "),
      Created: Math.floor(this.createdAtMs / 1_000),
      Labels: this.body.Labels ?? {},
      State: this.status,
      Status: this.status,
    };
  }

  #print(stream: Stream, text: string): void {
    for (const listener of this.#listeners) listener.onOutput?.(stream, text);
    const lines = (this.#unended[stream] + text).split(/(?<=\n)/);
    // The engine keeps a line that has not ended until it does, or the process has.
    this.#unended[stream] = lines.at(-1)?.endsWith("\n") === false ? (lines.pop() ?? "") : "";
    for (const line of lines) if (line !== "") this.#log(stream, line, true);
  }

  #log(stream: Stream, text: string, isHeard: boolean): void {
    const last = this.#lines.at(-1)?.atMicros ?? 0;
    const line = { atMicros: Math.max(last + 1, Math.round(nowMs() * 1_000)), stream, text };
    this.#lines.push(line);
    if (isHeard) for (const listener of this.#listeners) listener.onLine?.(line);
  }

  #end(exitCode: number): void {
    this.status = "exited";
    this.exitCode = exitCode;
    this.#finishedAtMs = nowMs();
    for (const stream of ["stdout", "stderr"] as const) {
      // Who follows the log does not hear of it: moby/moby#43860.
      if (this.#unended[stream] !== "") this.#log(stream, this.#unended[stream], false);
      this.#unended[stream] = "";
    }
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener.onEnd();
  }
}

/** The frame of an engine's multiplexed stream. */
export function frameOf(stream: Stream, text: string): Buffer {
  const length = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(8 + length);
  frame.writeUInt32BE(stream === "stderr" ? 0x0200_0000 : 0x0100_0000, 0);
  frame.writeUInt32BE(length, 4);
  frame.write(text, 8);
  return frame;
}

export function logFrameOf({ atMicros, stream, text }: Line, hasTime: boolean): Buffer {
  return frameOf(stream, hasTime ? `${textOf(atMicros)} ${text}` : text);
}

/** By the clock, with fractions; comparable with that of another process on the machine. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** RFC 3339 with nine decimals. */
function textOf(micros: number): string {
  const seconds = new Date(Math.floor(micros / 1_000)).toISOString().slice(0, 19);
  return `${seconds}.${String(Math.floor(micros % 1_000_000)).padStart(6, "0")}000Z`;
}
