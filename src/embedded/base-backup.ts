import { Readable } from "node:stream";
import pg from "pg";
import { OWN_NAME } from "./cluster.ts";

/** A copy of a running server's data, as it streams. */
export interface BaseBackup {
  /** Of the server: a number that initdb has made up. */
  systemId: string;
  /** A tar of the data folder, with what is needed of the write-ahead log to recover it. */
  tar: Readable;
  /** Ends it, whether the tar was read to its end or not. */
  end(): Promise<void>;
}

/** What stands first in each piece of the stream. */
const ARCHIVE_DATA = "d".charCodeAt(0);
// One file, so that nothing of the log that it needs is recycled meanwhile: the slot goes with the
// session. Postgres verifies the checksum of each page that it reads.
const HOLD_LOG = `CREATE_REPLICATION_SLOT fastlane_backup_${process.pid} TEMPORARY PHYSICAL RESERVE_WAL`;
const BASE_BACKUP = "BASE_BACKUP (LABEL 'fastlane', CHECKPOINT 'fast', WAL true, MANIFEST 'no')";

/**
 * Copies the data of a server that goes on with its work, by Postgres' own way for it, which
 * pg_basebackup uses.
 *
 * @param sockets The folder in which the server has its socket.
 * @throws {Error} When it cannot be reached; what goes wrong later destroys the stream.
 */
export async function startBaseBackup(sockets: string): Promise<BaseBackup> {
  // `pg` passes the key on, and its types lack it.
  const options: pg.ClientConfig & { replication: string } = {
    host: sockets,
    user: OWN_NAME,
    database: OWN_NAME,
    replication: "true",
    application_name: "fastlane backup",
  };
  const client = new pg.Client(options);
  client.on("error", () => {});
  await client.connect();
  try {
    const { rows } = await client.query<{ systemid: string }>("IDENTIFY_SYSTEM");
    await client.query(HOLD_LOG);
    const copy = copyOut(BASE_BACKUP);
    client.query(copy.query);
    return {
      systemId: rows[0]?.systemid ?? "",
      tar: copy.stream,
      end: () => client.end().catch(() => {}),
    };
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}

/** What `pg` calls while a query of ours is the active one. */
function copyOut(text: string): { stream: Readable; query: pg.Submittable } {
  let socket: { pause(): void; resume(): void } | null = null;
  const stream = new Readable({ read: () => socket?.resume() });
  const handlers = {
    submit(connection: pg.Connection) {
      const { stream: wire } = connection as unknown as { stream: typeof socket };
      socket = wire;
      connection.query(text);
    },
    handleCopyData({ chunk }: { chunk: Buffer }) {
      if (chunk[0] !== ARCHIVE_DATA) return;
      // The parser's buffer is used again for what comes next.
      if (!stream.push(Buffer.from(chunk.subarray(1)))) socket?.pause();
    },
    handleError: (error: Error) => void stream.destroy(error),
    handleReadyForQuery: () => void stream.push(null),
    handleRowDescription() {},
    handleDataRow() {},
    handleCommandComplete() {},
  };
  return { stream, query: handlers };
}
