import { isLoopback } from "../core/loopback.ts";
import { type Fault, nameOf } from "./fault.ts";
import { tablesOf } from "./shape.ts";

type Values = Readonly<Record<string, unknown>>;

/** What is wrong with keys that are each right alone. */
export function faultsOfPairs(values: Values): Fault[] {
  return [
    ...faultsOfAuth(values),
    ...faultsOfSecrets(values),
    ...faultsOfMail(values),
    ...faultsOfHost(values),
    ...tablesOf(values["registries"])
      .filter(([, login]) => "password" in login === "passwordFile" in login)
      .map(([name]) => ({
        at: ["registries", name],
        says: "must have either password or passwordFile",
      })),
    ...(Array.isArray(values["dockerHosts"]) ? tablesOf(values["dockerHosts"]) : [])
      .filter(([, pool]) => "hosts" in pool === "swarm" in pool)
      .map(([index]) => ({
        at: ["dockerHosts", Number(index)],
        says: "must have either hosts or swarm",
      })),
  ];
}

function faultsOfAuth(values: Values): Fault[] {
  const password = ["basicAuthPassword", "basicAuthPasswordFile"].find((key) => key in values);
  const username = "basicAuthUsername" in values ? "basicAuthUsername" : undefined;
  if ((username === undefined) === (password === undefined)) return [];
  return [
    {
      at: ["basicAuthUsername"],
      says: "and basicAuthPassword must be given together",
      seenAt: [username ?? password ?? ""],
    },
  ];
}

function faultsOfSecrets(values: Values): Fault[] {
  return ["databaseUrl", "secretKey", "basicAuthPassword", "smtpPassword", "otlpHeaders"]
    .filter((key) => key in values && `${key}File` in values)
    .map((key) => ({ at: [key], says: `and ${key}File must not be given together` }));
}

function faultsOfMail(values: Values): Fault[] {
  const wrong: Fault[] = [];
  const password = ["smtpPassword", "smtpPasswordFile"].find((key) => key in values);
  if ("smtpUser" in values !== (password !== undefined)) {
    wrong.push({
      at: ["smtpUser"],
      says: "must be given together with smtpPassword or smtpPasswordFile",
      seenAt: [password ?? "smtpUser"],
    });
  }
  const others = ["smtpPort", "smtpUser", "smtpFrom", "smtpUseSsl", "smtpCaFile"].filter(
    // What a key is by default anyway says nothing.
    (key) => key in values && values[key] !== false,
  );
  if (!("smtpHost" in values) && others.length > 0) {
    const have = others.length === 1 ? "has" : "have";
    wrong.push({
      at: ["smtpHost"],
      says: `must be given: ${others.join(", ")} ${have} no use without it`,
      seenAt: [others[0] ?? ""],
    });
  }
  return wrong;
}

/** Whoever reaches the API controls the Docker hosts. */
function faultsOfHost({ host, noAuth, basicAuthUsername, requireAuthentication }: Values): Fault[] {
  const isGuarded =
    noAuth === true || basicAuthUsername !== undefined || requireAuthentication === true;
  if (typeof host !== "string" || isLoopback(host) || isGuarded) return [];
  return [
    {
      at: ["host"],
      says:
        `"${nameOf([host])}" can be reached from other machines, and whoever reaches fastlane controls the Docker ` +
        "hosts; listen on 127.0.0.1, configure basicAuthUsername and basicAuthPassword or " +
        "requireAuthentication, or say --no-auth to accept that",
    },
  ];
}
