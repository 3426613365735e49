import { afterAll, beforeAll, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { version } from "../../package.json" with { type: "json" };
import { bootSystemd, type Machine } from "../support/systemd/machine.ts";

const PROJECT = new URL("../../", import.meta.url).pathname;
const BUN = "/mnt/project/node_modules/.bin/bun";
const CONF = "/etc/fastlane/fastlane.toml";

let folder: string;
let machine: Machine;

beforeAll(async () => {
  // Where the machine that is booted has it as well.
  folder = mkdtempSync(join(PROJECT, "build/debian-test-"));
  makePackage("dist/fastlane", folder);
  machine = await bootSystemd();
  // Images of Debian for containers have one that lets no service be started.
  await machine.must(`
    rm -f /usr/sbin/policy-rc.d
    install -D /mnt/project/build/${folder.split("/").at(-1)}/*.deb -t /tmp/old
    dpkg-deb -R /tmp/old/*.deb /tmp/tree
    sed -i 's/^Version: .*/Version: 999/' /tmp/tree/DEBIAN/control
    echo '# A new default.' >>/tmp/tree${CONF}
    dpkg-deb --root-owner-group -Znone -b /tmp/tree /tmp/new.deb`);
});

afterAll(async () => {
  await machine[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

test("it is installed with its user, its unit and its configuration, and runs at once", async () => {
  const said = await machine.must("dpkg --no-triggers -i /tmp/old/*.deb");

  const looked = await machine.must(`
    fastlane --version
    systemctl is-enabled fastlane.service
    systemctl is-active fastlane.service
    systemctl show -P User fastlane
    stat -c '%U:%G %a' ${CONF}
    fastlane config --check ${CONF}
    id -Gn fastlane`);
  const health = await machine.must(
    `${BUN} -e 'console.log(await (await fetch("http://127.0.0.1:10000/healthcheck")).text())'`,
  );

  expect(said).not.toContain("warning");
  expect(looked.trim().split("\n")).toEqual([
    version,
    "enabled",
    "active",
    "fastlane",
    "root:fastlane 640",
    `${CONF} is right`,
    // Whoever may use Docker's socket is as good as root, which is not for a package to say.
    "fastlane",
  ]);
  expect(JSON.parse(health).errors).toEqual([]);
});

test("an upgrade restarts it, and leaves the configuration as the administrator changed it", async () => {
  const before = await machine.must("systemctl show -P MainPID fastlane");
  await machine.must(`echo 'paginationPerPage = 7' >${CONF}`);

  await machine.must("dpkg --no-triggers --force-confold -i /tmp/new.deb");

  const after = await machine.must("systemctl show -P MainPID fastlane");
  expect(await machine.must(`cat ${CONF}`)).toBe("paginationPerPage = 7\n");
  expect(await machine.must(`tail -n 1 ${CONF}.dpkg-dist`)).toBe("# A new default.\n");
  expect(await machine.must(`stat -c '%U:%G %a' ${CONF}`)).toBe("root:fastlane 640\n");
  expect(await machine.must("systemctl is-active fastlane")).toBe("active\n");
  expect(after).not.toBe(before);
});

test("removed it leaves its configuration and its data, purged nothing", async () => {
  await machine.must("dpkg --no-triggers -r fastlane");
  const left = await machine.must(`
    ! pgrep --euid fastlane
    ls ${CONF} /var/lib/fastlane/postgres/data/PG_VERSION`);

  await machine.must("dpkg --no-triggers -P fastlane");

  expect(left.trim().split("\n")).toHaveLength(2);
  const found = await machine.must(`
    find /etc /usr/bin /usr/lib/systemd /usr/share /var/lib -name '*fastlane*'
    getent passwd fastlane || getent group fastlane || true
    dpkg-query -W fastlane 2>/dev/null || true`);
  expect(found).toBe("");
});

test("two packages of one binary are equal byte for byte, whenever and by whomever they are made", () => {
  using places = twoFolders();
  const [one, other] = places.paths;
  execFileSync(
    "dd",
    ["if=dist/fastlane", `of=${one}/binary`, "bs=4096", "count=1", "status=none"],
    {
      cwd: PROJECT,
    },
  );

  const first = makePackage(`${one}/binary`, one);
  const second = makePackage(`${one}/binary`, other, { umask: "077", TZ: "Asia/Tokyo" });

  expect(Bun.hash(first)).toBe(Bun.hash(second));
  expect(first.equals(second)).toBe(true);
});

test("the manual page has every command, and no formatter has anything to say of it", () => {
  const page = execFileSync(BUN.replace("/mnt/project/", PROJECT), ["scripts/man-page.ts", "0"], {
    cwd: PROJECT,
  });

  const { stdout, stderr } = Bun.spawnSync(["groff", "-mandoc", "-ww", "-Tutf8", "-P-bcou"], {
    stdin: page,
    env: { ...process.env, LC_ALL: "C.UTF-8" },
  });

  expect(String(stderr)).toBe("");
  for (const command of [
    "fastlane up",
    "fastlane hosts drain",
    "fastlane systemd",
    "--docker-group",
  ])
    expect(String(stdout)).toContain(command);
});

function makePackage(
  binary: string,
  into: string,
  { umask = "022", TZ = "UTC" }: { umask?: string; TZ?: string } = {},
): Buffer {
  const made = execFileSync(
    "bash",
    ["-c", `umask ${umask}; exec scripts/package-debian "$@"`, "bash", binary, into],
    {
      cwd: PROJECT,
      env: { ...process.env, TZ, SOURCE_DATE_EPOCH: "1800000000" },
      encoding: "utf8",
    },
  );
  return execFileSync("cat", [made.trim()], { maxBuffer: 2 ** 30 });
}

function twoFolders() {
  const paths = [1, 2].map(() => mkdtempSync(join(tmpdir(), "fastlane-debian-"))) as [
    string,
    string,
  ];
  return {
    paths,
    [Symbol.dispose]() {
      for (const path of paths) rmSync(path, { recursive: true });
    },
  };
}
