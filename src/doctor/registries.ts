import type { RegistryLogin } from "../config/registries.ts";
import type { Config } from "../config/schema.ts";
import type { Check, Tell } from "./finding.ts";
import { isLoopbackRegistry, type LoginOutcome, tryLogin } from "./registry-login.ts";

const WITHIN_MS = 12_000;
const ASKED_WITHIN_MS = 10_000;

/** Whether each login for pulls is taken, as seen from this machine. */
export function registryChecks({ registries }: Pick<Config, "registries">): Check[] {
  return Object.entries(registries).map(([name, login]) => ({
    subject: `registry ${name === login.registry ? name : `${login.registry} (${name})`}`,
    withinMs: WITHIN_MS,
    async run(tell, signal) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(ASKED_WITHIN_MS)]);
      const outcome = await tryLogin(login, limit);
      if (!signal.aborted) judge(tell, login, outcome);
    },
  }));
}

function judge(tell: Tell, { registry, username }: RegistryLogin, outcome: LoginOutcome): void {
  switch (outcome.kind) {
    case "refused":
      tell.problem(
        `it refuses the login of "${username}"`,
        "put the right username and password into [registries], or renew the token that is used as one",
      );
      return;
    case "unreachable":
      tell.problem(
        `it cannot be asked from here: ${outcome.words}`,
        "see whether it runs and whether this machine may reach it; what the hosts reach is theirs to tell",
      );
      return;
    case "untrusted":
      tell.warning(
        `${outcome.words}: the login was not tried`,
        `give each host the certificate in /etc/docker/certs.d/${registry}/ca.crt, and this machine in its own store`,
      );
      return;
    default:
      if (outcome.isPlain && !isLoopbackRegistry(registry)) {
        tell.warning(
          "it speaks plain HTTP: a password would go there in clear text, so the login was not tried",
          "put TLS before it; engines take it without only as one of their insecure-registries",
        );
      } else if (outcome.kind === "taken") tell.ok(`it takes the login of "${username}"`);
      else tell.ok("it answers, and asks nobody for a password");
  }
}
