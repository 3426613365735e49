import { ConfigError } from "./fault.ts";
import { loadWhole } from "./load.ts";
import type { Config } from "./schema.ts";
import type { Sources } from "./sources.ts";

/**
 * What reads the configuration at the start and at each reload.
 *
 * @returns Throws a `ConfigError` also where the file said something before and now is empty.
 */
export function configReader(sources: Sources): () => Config {
  let saidSomething = false;
  return () => {
    const { config, given } = loadWhole(sources, { whole: false });
    const saysSomething = Object.keys(given.file?.values ?? {}).length > 0;
    if (given.file !== null && saidSomething && !saysSomething) {
      const why = "it is written to just now, or by mistake; nothing changes";
      throw new ConfigError([`${given.file.path}: the file is empty: ${why}`]);
    }
    saidSomething = saysSomething;
    return config;
  };
}
