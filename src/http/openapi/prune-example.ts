const AMOUNT = { count: 0, bytes: 0 };
const PRUNED = {
  containers: AMOUNT,
  logDays: { count: 1, bytes: 5_242_880 },
  executions: { count: 1_440, bytes: 1_105_920 },
  jobs: { count: 12, bytes: 9_216 },
  tasks: { count: 1, bytes: 96 },
  ticks: AMOUNT,
  deliveries: AMOUNT,
  audit: AMOUNT,
  idempotencyKeys: AMOUNT,
  reconciliations: AMOUNT,
};
export const PRUNE = {
  isAsked: false,
  isRunning: false,
  finishedAt: "2030-03-29T03:00:04.512Z",
  nextAt: "2030-03-29T04:00:00.104Z",
  result: { pruned: PRUNED },
};
export const STORE = {
  bytes: 73_400_320,
  logsBytes: 41_943_040,
  executionsBytes: 12_582_912,
  otherBytes: 18_874_368,
  growthBytesPerDay: 5_242_880,
  oldestLogDay: "2030-02-28",
  prune: PRUNE,
};
