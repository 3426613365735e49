// A fastlane that does nothing but own its Postgres: says where it is, and stays until it is killed.
import { startEmbeddedPostgres } from "../../src/embedded/server.ts";

const [dataDir = ""] = process.argv.slice(2);
try {
  const { url, pid } = await startEmbeddedPostgres({ dataDir, log: () => {} });
  console.log(JSON.stringify({ url, pid }));
} catch (error) {
  console.log(JSON.stringify({ error: error instanceof Error ? error.message : `${error}` }));
  process.exit(1);
}
setInterval(() => {}, 60_000);
