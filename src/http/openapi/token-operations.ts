import { ALWAYS, CHANGING, type Operation, WITH_BODY } from "./operation.ts";

const VIEW = {
  id: "4fVd0rT7xQmB",
  name: "ci",
  role: "submitter",
  taskMatch: "^reports-",
  createdAt: "2030-03-29T03:00:00.104Z",
  createdBy: "basic admin",
  expiresAt: "2030-06-27T03:00:00.104Z",
  lastUsedAt: null,
  revokedAt: null,
} as const;
const USED = { ...VIEW, lastUsedAt: "2030-03-29T03:04:00.000Z" };
/** Not one that could be right: its sum is wrong. */
const TOKEN = `fl_${VIEW.id}_${"x".repeat(49)}`;

export const TOKEN_OPERATIONS: readonly Operation[] = [
  {
    id: "whoami",
    method: "get",
    path: "/whoami/",
    tag: "Tokens",
    summary: "Who asks",
    description: "Who the credentials of the request say that it is, and what they may do.",
    parameters: [],
    answers: [
      {
        status: 200,
        description: "Who it is",
        schema: "WhoamiAnswer",
        example: {
          kind: "token",
          name: VIEW.name,
          role: VIEW.role,
          taskMatch: VIEW.taskMatch,
          expiresAt: VIEW.expiresAt,
        },
      },
    ],
    refusals: ALWAYS,
  },
  {
    id: "listTokens",
    method: "get",
    path: "/tokens/",
    tag: "Tokens",
    summary: "List tokens",
    description: "Tokens that count, the newest first and 1,000 at most.",
    parameters: ["all"],
    answers: [
      {
        status: 200,
        description: "Tokens, without what makes them secret",
        schema: "TokensAnswer",
        example: { items: [USED] },
      },
    ],
    refusals: [...ALWAYS, "query_invalid"],
  },
  {
    id: "createToken",
    method: "post",
    path: "/tokens/",
    tag: "Tokens",
    summary: "Make a token",
    description: "The token itself is in this answer, and nowhere else ever.",
    parameters: [],
    request: {
      schema: "TokenBody",
      examples: {
        tasks: {
          summary: "For some tasks, for 90 days",
          value: { name: "ci", role: "submitter", taskMatch: "^reports-", expiresIn: "90d" },
        },
      },
    },
    answers: [
      {
        status: 201,
        description: "It is made",
        schema: "MadeTokenAnswer",
        example: { ...VIEW, token: TOKEN },
      },
    ],
    refusals: [...WITH_BODY, "token_name_taken"],
  },
  {
    id: "revokeToken",
    method: "delete",
    path: "/tokens/{tokenName}/",
    tag: "Tokens",
    summary: "Revoke a token",
    description:
      "It counts no more, at once and on all nodes; sockets and logs that were opened by it end within a second.",
    parameters: ["tokenName"],
    answers: [
      {
        status: 200,
        description: "It is revoked",
        schema: "TokenAnswer",
        example: { ...USED, revokedAt: "2030-03-30T08:00:00.000Z" },
      },
    ],
    refusals: [...CHANGING, "token_not_found"],
  },
];
