import { ALWAYS, CHANGING, type Operation } from "./operation.ts";
import { EXAMPLE_IDS } from "./parameters.ts";

const DELIVERIES = "/tasks/{taskId}/jobs/{jobId}/executions/{executionId}/deliveries/";
const { taskId, jobId, executionId, deliveryId } = EXAMPLE_IDS;
const AT = "2030-03-29T03:00:02.719Z";
const executionUrl = `http://localhost:10000/tasks/${taskId}/jobs/${jobId}/executions/${executionId}/`;
const DELIVERY = {
  id: deliveryId,
  event: "succeeds",
  kind: "webhook",
  source: "job",
  target: "https://example.com/hook",
  status: "delivered",
  maxTries: 21,
  dueAt: null,
  createdAt: AT,
  attempts: [
    {
      try: 1,
      at: AT,
      durationMs: 42,
      ok: true,
      code: 204,
      answer: "",
      error: null,
    },
  ],
  redeliverUrl: `${executionUrl}deliveries/${deliveryId}/redeliver/`,
};

const REFUSALS = ["task_id_invalid", "execution_not_found"] as const;

export const DELIVERY_OPERATIONS: readonly Operation[] = [
  {
    id: "listDeliveries",
    method: "get",
    path: DELIVERIES,
    tag: "Executions",
    summary: "Who was told of it",
    description: "Each webhook and mail of the execution, with what came of every try.",
    parameters: ["taskId", "jobId", "executionId"],
    answers: [
      {
        status: 200,
        description: "The ledger",
        schema: "DeliveryList",
        example: { items: [DELIVERY] },
      },
    ],
    refusals: [...ALWAYS, ...REFUSALS],
  },
  {
    id: "redeliver",
    method: "post",
    path: `${DELIVERIES}{deliveryId}/redeliver/`,
    tag: "Executions",
    summary: "Tell once more",
    description: "Sends a webhook or a mail again, under the same id, whatever came of it before.",
    parameters: ["taskId", "jobId", "executionId", "deliveryId"],
    answers: [{ status: 200, description: "It is due now", schema: "Delivery", example: DELIVERY }],
    refusals: [...CHANGING, ...REFUSALS, "delivery_not_found"],
  },
];
