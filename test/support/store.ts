import { migrateQueue } from "../../src/queue/runner.ts";
import { type PostgresAddress, parsePostgresUrl } from "../../src/store/address.ts";
import { openStore, type Store } from "../../src/store/connect.ts";
import { addLogDays } from "../../src/store/log-days.ts";
import { migrate } from "../../src/store/migrate.ts";
import { MIGRATIONS } from "../../src/store/migrations.ts";
import { prepareTemplate, testDatabase, testServer } from "./postgres.ts";

export interface MigratedDatabase extends AsyncDisposable {
  url: string;
  address: PostgresAddress;
  /** The label of the containers of this database alone. */
  installation: string;
}

/** A migrated database of its own, as a new installation has it. */
export async function migratedDatabase(): Promise<MigratedDatabase> {
  const hash = MIGRATIONS.map(({ sql }) => sql).join("\n");
  const template = await prepareTemplate(await testServer(), hash, async (url) => {
    const address = parsePostgresUrl(url);
    await migrate({ address, migrateQueue: () => migrateQueue(address) });
    const store = openStore({ address, max: 1 });
    await addLogDays(store.db);
    await store.close();
  });
  const database = await testDatabase(template);
  const address = parsePostgresUrl(database.url);
  const installation = crypto.randomUUID();
  const store = openStore({ address, max: 1 });
  // All copies of the template would be one installation, and remove each other's containers.
  await store.sql`UPDATE fastlane.installation SET id = ${installation}`;
  await store.close();
  return {
    url: database.url,
    address,
    installation,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

/** A migrated database with connections to it. */
export async function testStore(): Promise<MigratedDatabase & Store> {
  const database = await migratedDatabase();
  const store = openStore({ address: database.address });
  return {
    ...database,
    ...store,
    async [Symbol.asyncDispose]() {
      await store.close();
      await database[Symbol.asyncDispose]();
    },
  };
}
