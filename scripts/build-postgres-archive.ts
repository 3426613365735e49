// Makes build/postgres.tar.zst, the Postgres that the binary brings, unless it is there already.
import { platformNamed } from "./parts/platforms.ts";
import { postgresArchive } from "./parts/postgres-archive.ts";

await postgresArchive(platformNamed("linux-x64"));
