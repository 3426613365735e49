import { expect, test } from "bun:test";
import { posix } from "node:path";
import { Glob } from "bun";

/** Which rooms the files of a room may import, besides their own. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: [],
  config: ["core"],
  embedded: ["core"],
  payload: ["core"],
  page: ["core"],
  client: ["core"],
  terminal: ["core"],
  farm: ["core"],
  metrics: ["core"],
  notify: ["core"],
  traces: ["core"],
  store: ["payload", "core"],
  stream: ["store", "core"],
  queue: ["store", "payload", "core"],
  services: ["queue", "store", "payload", "core"],
  worker: ["services", "queue", "store", "farm", "notify", "traces", "payload", "core"],
  http: ["services", "queue", "stream", "store", "traces", "payload", "core"],
  doctor: ["config", "embedded", "store", "farm", "notify", "core"],
  app: [
    "config",
    "core",
    "embedded",
    "farm",
    "http",
    "metrics",
    "notify",
    "payload",
    "queue",
    "services",
    "store",
    "stream",
    "traces",
    "worker",
  ],
  cli: ["app", "config", "doctor", "client", "terminal", "services", "store", "notify", "core"],
  main: ["cli", "core", "store"],
  node: ["main"],
  sdk: ["http"],
};
const NEVER_EACH_OTHER = [
  ["http", "worker"],
  ["farm", "notify", "store"],
];
const MAX_LINES = 250;
const READS_ENVIRONMENT = /^(config\/|main\.ts$)/;

interface SourceFile {
  path: string;
  room: string;
  text: string;
  imports: string[];
}

const SRC = new URL("../src/", import.meta.url).pathname;
const files: SourceFile[] = await Promise.all(
  [...new Glob("**/*.ts").scanSync(SRC)].sort().map(async (path) => {
    const text = await Bun.file(SRC + path).text();
    return { path, room: roomOf(path), text, imports: importedRooms(path, text) };
  }),
);

test("every room is in the table, and every room of the table is there", () => {
  expect([...new Set(files.map(({ room }) => room))].sort()).toEqual(
    Object.keys(MAY_IMPORT).sort(),
  );
});

test.each(Object.entries(MAY_IMPORT))("src/%s imports only the rooms below it", (room, below) => {
  const wrong = files
    .filter((file) => file.room === room)
    .flatMap(({ path, imports }) =>
      imports.filter((other) => other !== room && !below.includes(other)).map((o) => [path, o]),
    );

  expect(wrong).toEqual([]);
});

test.each(NEVER_EACH_OTHER)("the rooms %s and %s never import each other", (...rooms) => {
  for (const room of rooms) {
    const others = rooms.filter((name) => name !== room);
    for (const other of others) expect(MAY_IMPORT[room] ?? []).not.toContain(other);
  }
});

test("only the configuration and the entry read the environment", () => {
  const readers = files.filter(({ text }) => /process\.env|Bun\.env|import\.meta\.env/.test(text));

  expect(readers.map(({ path }) => path).filter((path) => !READS_ENVIRONMENT.test(path))).toEqual(
    [],
  );
});

test(`no file is longer than ${MAX_LINES} lines`, () => {
  const long = files.filter(({ text }) => text.trimEnd().split("\n").length > MAX_LINES);

  expect(long.map(({ path }) => path)).toEqual([]);
});

function roomOf(path: string): string {
  return (path.split("/")[0] ?? "").replace(/\.ts$/, "");
}

/** Static, dynamic and side-effect imports and re-exports; those that leave src are not rooms. */
function importedRooms(path: string, text: string): string[] {
  const specifiers = [...text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g)];
  return specifiers
    .map(([, specifier = ""]) => posix.join(posix.dirname(path), specifier))
    .filter((target) => !target.startsWith("../"))
    .map(roomOf);
}
