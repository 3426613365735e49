import { expect, test } from "bun:test";
import { serviceNotices } from "../../src/cli/service-notices.ts";
import { feedWatchdog } from "../../src/cli/watchdog.ts";
import { serviceManagerOf } from "../../src/config/service-manager.ts";
import { startFastlane } from "../support/process.ts";
import { migratedDatabase } from "../support/store.ts";
import { openNoticeSocket } from "../support/systemd/notice-socket.ts";

const silent = { warn() {}, error() {} };
const path = process.env["PATH"] ?? "";

test("systemd is told of the start, each sign of life, a reload and the end, in that order", async () => {
  using socket = openNoticeSocket();
  await using database = await migratedDatabase();
  await using service = await startFastlane({
    command: "api",
    environment: {
      FASTLANE_DATABASE_URL: database.url,
      NOTIFY_SOCKET: socket.path,
      WATCHDOG_USEC: "400000",
    },
  });

  await socket.until(/^WATCHDOG=1$/);
  process.kill(service.pid, "SIGHUP");
  await socket.until(/^READY=1$/);
  await service.end("SIGTERM");
  await socket.until(/^STOPPING=1/);

  const told = socket.told().filter((notice) => notice !== "WATCHDOG=1");
  expect(told).toEqual([
    "STATUS=starts",
    `READY=1 STATUS=listens on ${service.url}`,
    "RELOADING=1",
    "READY=1",
    "STOPPING=1 STATUS=stops; containers run on",
  ]);
  expect(socket.told().indexOf("WATCHDOG=1")).toBe(2);
  // The journal has both outputs, and only the log's lines are JSON.
  expect(service.stdout()).toBe("");
  expect(service.stderr()).toContain(`"url":"${service.url}","msg":"listens"`);
});

test("there is no sign of life while the event loop stands still, and there is after it", async () => {
  using socket = openNoticeSocket();
  const { tell } = serviceNotices({ manager: { socket: socket.path }, path, log: silent });
  const fault = async () => null;
  using _ = feedWatchdog({ afterMs: 400, fault, tell, status: "works", log: silent });
  await socket.until(/^WATCHDOG=1$/);
  const before = socket.told().length;

  // Nothing else of this process runs meanwhile.
  Bun.sleepSync(1_000);
  await Bun.sleep(50);
  const missed = socket.told().length - before;

  // One may have been under way, and one was due by then; ten would have come else.
  expect(missed).toBeLessThanOrEqual(3);
  await socket.untilMore(before + missed);
});

test("who is unwell says so in place of a sign of life, until it is well again", async () => {
  using socket = openNoticeSocket();
  const { tell } = serviceNotices({ manager: { socket: socket.path }, path, log: silent });
  const complaints: unknown[] = [];
  let wrong: string | null = "takes no messages";
  using _ = feedWatchdog({
    afterMs: 200,
    fault: async () => wrong,
    tell,
    status: "runs jobs",
    log: { error: (fields) => complaints.push(fields) },
  });

  await socket.until(/^STATUS=takes no messages$/);
  await Bun.sleep(200);
  const told = socket.told();
  wrong = null;
  await socket.until(/^WATCHDOG=1 STATUS=runs jobs$/);

  expect(told).toEqual(["STATUS=takes no messages"]);
  expect(complaints).toEqual([{ fault: "takes no messages" }]);
});

test("a service manager that cannot be told is complained of once, and held up by nothing", async () => {
  const complaints: unknown[] = [];
  const log = { warn: (fields: object) => complaints.push(fields) };
  const manager = { socket: "/nonexistent" };

  const gone = serviceNotices({ manager, path, log });
  await gone.tell("READY=1");
  await gone.tell("WATCHDOG=1");
  const noProgram = serviceNotices({ manager, program: "no-such-program", path, log });
  await noProgram.tell("READY=1");

  expect(complaints).toEqual([
    { error: expect.stringMatching(/^systemd-notify ended with 1: Failed to notify/) },
    { error: expect.stringMatching(/no-such-program/) },
  ]);
});

test.each([
  [{}, null],
  [{ NOTIFY_SOCKET: "" }, null],
  [{ NOTIFY_SOCKET: "@s" }, { socket: "@s", watchdogMs: null }],
  [
    { NOTIFY_SOCKET: "/s", WATCHDOG_USEC: "60000000" },
    { socket: "/s", watchdogMs: 60_000 },
  ],
  [
    { NOTIFY_SOCKET: "/s", WATCHDOG_USEC: "9000", WATCHDOG_PID: "7" },
    { socket: "/s", watchdogMs: 9 },
  ],
  [
    { NOTIFY_SOCKET: "/s", WATCHDOG_USEC: "9000", WATCHDOG_PID: "8" },
    { socket: "/s", watchdogMs: null },
  ],
  [
    { NOTIFY_SOCKET: "/s", WATCHDOG_USEC: "soon" },
    { socket: "/s", watchdogMs: null },
  ],
])("with %p the process 7 tells %p", (environment, expected) => {
  expect(serviceManagerOf(environment, 7)).toEqual(expected);
});
