import { ALWAYS, CHANGING, type Operation } from "./operation.ts";
import { PRUNE } from "./prune-example.ts";

export const PRUNE_OPERATIONS: readonly Operation[] = [
  {
    id: "getPrune",
    method: "get",
    path: "/prune/",
    tag: "Service",
    summary: "How it is with pruning",
    description:
      "Whether something is being removed, what the last time has, and when the next is.",
    parameters: [],
    answers: [
      {
        status: 200,
        description: "The last time and the next",
        schema: "PruneAnswer",
        example: PRUNE,
      },
    ],
    refusals: ALWAYS,
  },
  {
    id: "prune",
    method: "post",
    path: "/prune/",
    tag: "Service",
    summary: "Prune",
    description:
      "Has a worker remove at once what need not be kept any more, as it does by itself each hour: containers of executions that have ended, and rows and logs past their retention. It is done when the answer to GET is neither asked nor running.",
    parameters: ["dryRun"],
    answers: [
      {
        status: 200,
        description: "A worker will; or, with dryRun, what would go",
        schema: "PruneAnswer",
        example: { ...PRUNE, isAsked: true },
      },
    ],
    refusals: [...CHANGING, "query_invalid"],
  },
];
