import { expect, test } from "bun:test";
import { createClient } from "../../src/client/client.ts";
import { resolveJob } from "../../src/client/names.ts";

const ID = "36e1b166-0000-4000-8000-000000000000";

test.each([
  [["reports", ID, ID, ID]],
  [[`http://x/tasks/reports/jobs/${ID}`, `http://x/tasks/reports/jobs/${ID}`]],
])("of several that are named none is left out without a word: %j", async (words) => {
  const client = createClient({
    ...{ url: "http://127.0.0.1:1", authorization: null, ca: null, proxyFor: () => null },
    version: "test",
  });

  await expect(resolveJob(client, words)).rejects.toThrow("Several are named");
});
