/*
 * What a log costs in the store against its raw bytes, on an engine of its own for which it needs
 * root: `node_modules/.bin/bun bench/log-space.ts --megabytes 20 --lines 600`.
 */
import { parseArgs } from "node:util";
import { enqueue, untilEnded } from "../test/support/client.ts";
import { startEngine } from "../test/support/engine.ts";
import { startFastlane } from "../test/support/process.ts";
import { testStore } from "../test/support/store.ts";

export interface LogSpace {
  what: string;
  rawBytes: number;
  /** Of the partition with its indexes and all, once the log has ended. */
  storedBytes: number;
  /** Chunks that the log has in the end. */
  chunks: number;
  /** What it may cost at most, as a multiple of its raw bytes. */
  most: number;
}

export interface LogSpaceOptions {
  /** Of the logs that are printed at once. */
  megabytes: number;
  /** Of the log that is printed line by line. */
  lines: number;
}

/** Each line has a time, a path, a status and a number that no other has, as logs do; 100 bytes. */
const LINE = `'{ h = (h * 1103515245 + 12345) % 2147483648; printf "2026-11-24T15:%02d:%02d.%03dZ INFO worker-%d GET /api/items/%06d status=200 took=%03dms request=%08d\\n", $1 / 60 % 60, $1 % 60, h % 1000, h % 7, h % 1000000, h % 997, h % 100000000 }'`;

export async function measureLogSpace(
  host: string,
  { megabytes, lines }: LogSpaceOptions,
): Promise<LogSpace[]> {
  const linesAtOnce = megabytes * 10_000;
  const scripts = [
    ["lines of 100 bytes, all at once", 0.25, `seq 1 ${linesAtOnce} | awk ${LINE}`],
    [
      "a line of 100 bytes each 50 ms",
      4.5,
      `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo $i | awk -v h=$i ${LINE}; usleep 50000; done`,
    ],
    ["random bytes", 1.1, `head -c ${megabytes * 1_000_000} /dev/urandom`],
  ] as const;
  const spaces: LogSpace[] = [];
  for (const [what, most, script] of scripts) {
    spaces.push({ what, most, ...(await spaceOf(host, script)) });
  }
  return spaces;
}

/** Each log has a database of its own, so that the partition's size is its own. */
async function spaceOf(host: string, script: string): Promise<Omit<LogSpace, "what" | "most">> {
  await using store = await testStore();
  await using fastlane = await startFastlane({
    environment: {
      FASTLANE_DATABASE_URL: store.url,
      FASTLANE_DOCKER_HOSTS: JSON.stringify([{ hosts: [host] }]),
      FASTLANE_LOG_LEVEL: "error",
    },
  });
  const job = await enqueue(fastlane.url, "space", { command: ["sh", "-c", script] });
  const { status, logBytes, logState } = await untilEnded(job, 600_000);
  if (status !== "done" || logState !== "complete" || logBytes === null) {
    throw new Error(`The execution ended as ${status}, its log ${logState} of ${logBytes} bytes`);
  }
  const [row] = await store.sql<{ size: string; chunks: number }[]>`
    SELECT sum(pg_total_relation_size(relid)) AS size,
      (SELECT count(*)::int FROM fastlane.log_chunks) AS chunks
    FROM pg_partition_tree('fastlane.log_chunks') AS parts
    WHERE isleaf AND EXISTS (SELECT FROM fastlane.log_chunks WHERE tableoid = relid)`;
  return { rawBytes: logBytes, storedBytes: Number(row?.size), chunks: row?.chunks ?? 0 };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      megabytes: { type: "string", default: "20" },
      lines: { type: "string", default: "600" },
    },
  });
  await using engine = await startEngine();
  const spaces = await measureLogSpace(engine.host, {
    megabytes: Number(values.megabytes),
    lines: Number(values.lines),
  });
  for (const { what, rawBytes, storedBytes, chunks } of spaces) {
    const ratio = (storedBytes / rawBytes).toFixed(3);
    process.stdout.write(`${what}: ${ratio} x ${rawBytes} bytes, ${chunks} chunks\n`);
  }
  process.exit(0);
}
