import * as v from "valibot";
import { registryNamed } from "./docker-config.ts";
import { key } from "./key.ts";
import { text } from "./values.ts";

export interface RegistryLogin {
  registry: string;
  username: string;
  password: string;
}

/** The password stands here or in a file, exactly one of both. */
const Registry = v.object(
  {
    registry: key("The registry that it is for", v.optional(text), {
      example: "registry.example:5000",
      otherwise: "the table's own name",
    }),
    username: key("User name of the login", text, { example: "fastlane" }),
    password: key("Its password", v.optional(text), {
      example: "a long password",
      secret: true,
    }),
    passwordFile: key("A file with its password", v.optional(text), {
      example: "/etc/fastlane/registry-password",
      secret: true,
      file: "start",
      insteadOf: "password",
    }),
  },
  "must be a table with username and password or passwordFile",
);

type Registries = Readonly<Record<string, v.InferOutput<typeof Registry>>>;

/** How images are pulled. */
export const REGISTRY_KEYS = {
  dockerConfigFile: key(
    "What `docker login` has left; an empty text reads none",
    v.optional(v.string("must be a text")),
    {
      example: "",
      otherwise: "`$DOCKER_CONFIG/config.json`, or `~/.docker/config.json`",
    },
  ),
  registries: key(
    "Logins for pulls, each by a name that `registryAuth` of a payload may give",
    v.optional(v.record(text, Registry, "must be a table of logins"), {}),
    {
      names: {
        "registry.example:5000": ["username", "password", "passwordFile"],
        builder: ["registry", "username", "password"],
      },
    },
  ),
};

/** The logins with their passwords. @param read Gives what is in a file. */
export function registriesOf(
  registries: Registries,
  read: (path: string) => string,
): Record<string, RegistryLogin> {
  return Object.fromEntries(
    Object.entries(registries).map(([name, table]) => {
      const { registry = name, username, password = "", passwordFile } = table;
      const login = { registry: registryNamed(registry), username, password };
      if (passwordFile === undefined) return [name, login];
      return [name, { ...login, password: read(passwordFile) }];
    }),
  );
}
