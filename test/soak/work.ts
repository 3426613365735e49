/** What a container of the load does, which tells what it must have written. */
export interface Work {
  /** Numbered lines on each stream, and behind them a last one without its end. */
  lines: number;
  /** After so many lines it pauses. */
  burst: number;
  pauseSeconds: number;
  /** Bytes that each line is longer by; above 16 KiB Docker takes it apart. */
  padBytes: number;
  exitCode: number;
  /** What it does when it is asked to end. */
  onTerm: "end" | "ignore";
}

/** Where the witness of each engine listens, at the address that is the containers' gateway. */
export const LEDGER_PORT = 7070;
/** Exit code of a container that was asked to end, and did. */
const ENDED_BY_TERM = 143;

// Its begin is in the ledger before it works, and its end before it exits. The ledger may be out of
// reach for a moment; the work does not hang on it for longer than that. Each start of a process has
// a name of its own, so that a report that is sent twice is not taken for a second start.
const SCRIPT = `
read -r run </proc/sys/kernel/random/uuid
gateway=$(ip route | { read -r _ _ via _; echo "$via"; })
i=0
tell() {
  left=30
  until [ "$(echo "$1 $TASK $run $HOSTNAME $i $2" | nc -w 3 "$gateway" ${LEDGER_PORT})" = ok ]; do
    left=$((left - 1))
    [ $left -gt 0 ] || return 0
    sleep 0.5
  done
}
[ "$ON_TERM" = ignore ] && trap '' TERM || trap 'tell end ${ENDED_BY_TERM}; exit ${ENDED_BY_TERM}' TERM
tell begin -
pad=$(head -c "$PAD" /dev/zero | tr '\\0' x)
while [ $i -lt $LINES ]; do
  i=$((i + 1))
  echo "o $i$pad"
  echo "e $i$pad" >&2
  [ $((i % BURST)) != 0 ] || { sleep "$PAUSE" & wait $!; }
done
printf rest
printf rest >&2
tell end $CODE
exit $CODE
`;

/** The keys of a payload that make a container do it. */
export function payloadOf(work: Work, task: string): Record<string, unknown> {
  return {
    image: "busybox",
    pullPolicy: "missing",
    command: ["sh", "-c", SCRIPT],
    envs: {
      TASK: task,
      LINES: work.lines,
      BURST: work.burst,
      PAUSE: work.pauseSeconds,
      PAD: work.padBytes,
      CODE: work.exitCode,
      ON_TERM: work.onTerm,
    },
  };
}

/** What it writes when nothing ends it before its time. */
export function outputOf(work: Work, stream: "stdout" | "stderr"): string {
  const pad = "x".repeat(work.padBytes);
  const letter = stream === "stdout" ? "o" : "e";
  const lines = Array.from({ length: work.lines }, (_, i) => `${letter} ${i + 1}${pad}\n`);
  return `${lines.join("")}rest`;
}
