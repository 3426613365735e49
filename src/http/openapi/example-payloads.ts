import { EXAMPLE_IDS } from "./parameters.ts";

/** The payload of the job that the other examples are about. */
export const PAYLOAD = {
  image: "busybox:latest",
  command: 'sh -c "echo 42 rows; echo no errors >&2"',
  envs: { SMTP_SERVER: "my-smtp-server" },
  metadata: { username: "heynemann" },
  pullPolicy: "missing",
};

export const SMALLEST_PAYLOAD = {
  image: "busybox:latest",
  command: "ls -lah",
  pullPolicy: "missing",
};

export const RETRIED_PAYLOAD = {
  image: "busybox:latest",
  command: ["sh", "-c", "test -e /data/report.csv"],
  pullPolicy: "missing",
  retries: 3,
  backoff: { minMs: 60_000, factor: 3, maxMs: 3_600_000 },
  retryOn: [1, 75],
  timeout: 600,
  priority: 10,
  concurrencyKey: "warehouse",
  concurrencyLimit: 2,
  resources: { cpus: 0.5, memory: "256m", pids: 64 },
};

export const CRON_PAYLOAD = {
  image: "busybox:latest",
  command: "echo good night",
  cron: "0 3 * * *",
  timezone: "Europe/Berlin",
  overlap: "skip",
  catchUp: "last",
};

export const LATER_PAYLOAD = {
  image: "busybox:latest",
  command: "echo two and a half hours later",
  startIn: "2h30m",
  notify: { fails: ["ops@example.com"] },
  webhooks: {
    finishes: [
      { url: "https://example.com/hook", headers: { "X-Team": "reports" }, secret: "shared words" },
    ],
  },
};

export const FILTER = {
  task: EXAMPLE_IDS.taskId,
  status: ["enqueued", "running"],
  since: "2026-01-01T00:00:00Z",
  dryRun: true,
};
