import { expect, test } from "bun:test";
import { listeningSockets } from "../../src/core/listening-sockets.ts";

const HEAD =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const REST = "00000000:00000000 00:00000000 00000000     0        0";

test("of the sockets of a machine those are told that listen, of both families", () => {
  const table = [
    HEAD,
    `   0: 0100007F:2710 00000000:0000 0A ${REST} 653053 1 0000000000000000 100 0 0 10 0`,
    `   1: 0100007F:2710 0100007F:C8FA 01 ${REST} 653054 1 0000000000000000 20 4 30 10 -1`,
    `   2: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A ${REST} 7 1 0`,
    `   3: B80D0120000000000000000001000000:0050 00000000000000000000000000000000:0000 0A ${REST} 8 1 0`,
    "",
  ].join("\n");

  expect(listeningSockets(table)).toEqual([
    { address: "127.0.0.1", port: 10_000, inode: 653_053 },
    { address: "::1", port: 8_080, inode: 7 },
    { address: "2001:db8::1", port: 80, inode: 8 },
  ]);
});

test("a table without sockets tells of none", () => {
  expect(listeningSockets("")).toEqual([]);
  expect(listeningSockets(`${HEAD}\n`)).toEqual([]);
});
