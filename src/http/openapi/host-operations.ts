import * as examples from "./examples.ts";
import { ALWAYS, type Operation, WITH_BODY } from "./operation.ts";

const { HOST, HOST_NAMES, POOL, REFS } = examples;
const BLACKLISTED = { ...HOST_NAMES, blacklisted: true };
const LIFTED = { ...HOST_NAMES, blacklisted: false };
const HOSTS = {
  hosts: [
    {
      ...HOST,
      reconciliation: {
        adopted: 2,
        finished: 1,
        last: [
          {
            at: "2026-11-24T09:28:51.310Z",
            containerId: REFS.containerId,
            decision: "adopted",
            executionId: REFS.executionId,
            reason: "Its container runs: lease 7 has taken it over",
          },
        ],
        lost: 0,
        removed: 0,
        stopped: 0,
      },
    },
  ],
  pools: [POOL],
};
const DRAINED = {
  ...BLACKLISTED,
  deadline: "2026-11-24T10:00:00.000Z",
  waitsFor: [
    {
      id: REFS.executionId,
      jobId: REFS.jobId,
      status: "running",
      taskId: REFS.taskId,
      url: REFS.executionUrl,
    },
  ],
};

const BODY = {
  schema: "BlacklistBody",
  examples: { host: { summary: "As the original API names it", value: { host: "10.0.0.7:2375" } } },
} as const;

const blacklist = (id: string, method: "post" | "put"): Operation => ({
  id,
  method,
  path: "/docker-executor/blacklist/",
  tag: "Hosts",
  summary: `Blacklist a host${method === "put" ? ", by PUT" : ""}`,
  description:
    "The host is given nothing new, by any node and over restarts, and finishes what it runs.",
  parameters: [],
  request: BODY,
  answers: [
    {
      status: 200,
      description: "It is blacklisted",
      schema: "BlacklistAnswer",
      example: BLACKLISTED,
    },
  ],
  refusals: [...WITH_BODY, "host_unknown"],
});

export const HOST_OPERATIONS: readonly Operation[] = [
  {
    id: "hosts",
    method: "get",
    path: "/hosts/",
    tag: "Hosts",
    summary: "List the hosts",
    description:
      "Every host of the configuration: whether it can be used, its circuit breaker, who owns it, and what was decided when it was held against the store.",
    parameters: [],
    answers: [{ status: 200, description: "The hosts", schema: "HostsAnswer", example: HOSTS }],
    refusals: ALWAYS,
  },
  {
    id: "drainHost",
    method: "post",
    path: "/hosts/drain/",
    tag: "Hosts",
    summary: "Drain a host",
    description:
      'Blacklists the host and tells what it waits for. What still runs there at the deadline is stopped; it ends as host_lost, or runs elsewhere where its job says `"onHostLost": "rerun"`.',
    parameters: [],
    request: {
      schema: "DrainBody",
      examples: {
        deadline: {
          summary: "Until ten o'clock",
          value: { host: HOST_NAMES.name, deadline: "2026-11-24T10:00:00Z" },
        },
      },
    },
    answers: [
      {
        status: 200,
        description: "It is blacklisted, and waits for these",
        schema: "DrainAnswer",
        example: DRAINED,
      },
    ],
    refusals: [...WITH_BODY, "host_unknown"],
  },
  blacklist("blacklistHost", "post"),
  blacklist("putHostOnBlacklist", "put"),
  {
    id: "liftBlacklist",
    method: "delete",
    path: "/docker-executor/blacklist/",
    tag: "Hosts",
    summary: "Take a host off the blacklist",
    description: "The host is given new executions again; a drain of it is over.",
    parameters: [],
    request: BODY,
    answers: [
      {
        status: 200,
        description: "It is not blacklisted",
        schema: "BlacklistAnswer",
        example: LIFTED,
      },
    ],
    refusals: [...WITH_BODY, "host_unknown"],
  },
];
