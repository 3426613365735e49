import { afterAll, beforeAll, expect, test } from "bun:test";
import { testEngine } from "../support/engine.ts";
import { bootSystemd, type Machine } from "../support/systemd/machine.ts";

const BUN = "/mnt/project/node_modules/.bin/bun";

const LOGIN = "ops:secret-of-credstore";
const AS_CLIENT = `HOME=/root FASTLANE_URL=http://${LOGIN}@127.0.0.1:10000`;

let machine: Machine;

beforeAll(async () => {
  const { host } = await testEngine();
  machine = await bootSystemd({ dockerSocket: host.replace("unix://", "") });
  await machine.must(`
    useradd --system --home-dir /var/lib/fastlane --no-create-home fastlane
    ln -s /mnt/project/dist/fastlane /usr/bin/fastlane
    mkdir -p /etc/credstore /etc/fastlane
    (umask 077; echo secret-of-credstore >/etc/credstore/fastlane.basicAuthPassword)
    echo 'basicAuthUsername = "ops"' >/etc/fastlane/fastlane.toml
    group=$(stat -c %G /run/docker.sock)
    [ "$group" != UNKNOWN ] || { group=testdocker; groupadd -g "$(stat -c %g /run/docker.sock)" $group; }
    fastlane systemd --binary /usr/bin/fastlane --docker-group "$group" >/etc/systemd/system/fastlane.service
    systemctl daemon-reload`);
});

afterAll(async () => {
  await machine[Symbol.asyncDispose]();
});

test("systemctl start waits until it works, and it runs jobs by its own user and Docker's group", async () => {
  await machine.must("systemctl start fastlane");

  const answer = await asks("/status/", LOGIN);
  const open = await asks("/status/");
  const job = await machine.must(`
    ${AS_CLIENT} fastlane run first --image busybox --pull never -- echo hello`);
  const user = await machine.must('stat -c %U /proc/"$(systemctl show -P MainPID fastlane)"');

  expect([answer, open]).toEqual(["200", "401"]);
  expect(job).toBe("hello\n");
  expect(user.trim()).toBe("fastlane");
  expect(await shown("StatusText")).toBe("listens on http://127.0.0.1:10000");
});

test("systemctl reload takes a changed file over, and the process stays", async () => {
  const before = await shown("MainPID");
  await machine.must(`
    echo '[[dockerHosts]]
hosts = ["unix:///var/run/docker.sock", "tcp://127.0.0.1:9"]' >>/etc/fastlane/fastlane.toml
    systemctl reload fastlane`);

  const hosts = await machine.must(`
    until ${AS_CLIENT} fastlane hosts --json | grep 127.0.0.1:9; do sleep 0.1; done`);

  expect(hosts).toContain("127.0.0.1:9");
  expect(await shown("MainPID")).toBe(before);
  expect(await shown("ActiveState")).toBe("active");
});

test("a process that stands still is killed by the watchdog and started again", async () => {
  await machine.must(`
    mkdir -p /etc/systemd/system/fastlane.service.d
    printf '[Service]\\nWatchdogSec=2\\nRestartSec=0\\n' >/etc/systemd/system/fastlane.service.d/watchdog.conf
    systemctl daemon-reload && systemctl restart fastlane`);
  const before = await shown("MainPID");

  await machine.must(`
    kill -STOP ${before}
    until [ "$(systemctl show -P NRestarts fastlane)" = 1 ]; do sleep 0.1; done
    until [ "$(systemctl show -P SubState fastlane)" = running ]; do sleep 0.1; done`);

  expect(await shown("MainPID")).not.toBe(before);
  expect(await asks("/status/", LOGIN)).toBe("200");
});

test("with the socket unit no connection is refused while the service restarts", async () => {
  await machine.must(`
    systemctl stop fastlane
    fastlane systemd --socket >/etc/systemd/system/fastlane.socket
    systemctl daemon-reload && systemctl start fastlane.socket fastlane.service`);

  const counted = await machine.must(`
    ${BUN} -e '
      const counts = {};
      let over = false;
      process.on("SIGTERM", () => { over = true; });
      await Promise.all(Array.from({ length: 20 }, async () => {
        while (!over) {
          const answer = await fetch("http://127.0.0.1:10000/status/", { keepalive: false })
            .then(({ status }) => status, ({ code }) => code);
          counts[answer] = (counts[answer] ?? 0) + 1;
        }
      }));
      console.log(JSON.stringify(counts));' >/tmp/counts &
    systemctl restart fastlane
    systemctl restart fastlane
    kill $! && wait $!
    cat /tmp/counts`);

  expect(Object.keys(JSON.parse(counted))).toEqual(["401"]);
  expect(JSON.parse(counted)["401"]).toBeGreaterThanOrEqual(40);
});

test("a connection to the socket starts the service, and systemctl stop leaves nothing of it", async () => {
  await machine.must("systemctl stop fastlane.service");

  const stopped = await machine.run("pgrep --euid fastlane");
  const answer = await asks("/status/", LOGIN);

  expect(stopped.stdout).toBe("");
  expect(answer).toBe("200");
  expect(await shown("ActiveState")).toBe("active");
});

async function shown(property: string): Promise<string> {
  return (await machine.must(`systemctl show -P ${property} fastlane`)).trim();
}

/** The status with which the API answers in there. */
async function asks(path: string, login = ""): Promise<string> {
  const headers = login === "" ? "{}" : `{ authorization: "Basic ${btoa(login)}" }`;
  const code = `fetch("http://127.0.0.1:10000${path}", { headers: ${headers} })`;
  return (await machine.must(`${BUN} -e 'console.log((await ${code}).status)'`)).trim();
}
