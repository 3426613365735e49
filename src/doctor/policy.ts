import { confinementOf, type Policy } from "../core/policy.ts";
import type { Tell } from "./finding.ts";

/** With one of these, root in a container can make itself root of its host. */
const AS_GOOD_AS_ROOT = [
  "BPF",
  "DAC_READ_SEARCH",
  "MAC_ADMIN",
  "MAC_OVERRIDE",
  "PERFMON",
  "SYS_ADMIN",
  "SYS_BOOT",
  "SYS_MODULE",
  "SYS_PTRACE",
  "SYS_RAWIO",
  "SYS_TIME",
];

/** What a pool allows, and yet opens a door. */
export function judgePolicy(tell: Tell, pool: Policy): void {
  const { match, allow } = pool;
  const { capabilities, noNewPrivileges } = confinementOf(pool);
  if (allow?.users.includes("*")) {
    tell.warning(
      `the pool "${match}" lets a payload name any user, root among them`,
      "name in allow.users those that are needed",
    );
  }
  const dangerous = capabilities.filter((name) => AS_GOOD_AS_ROOT.includes(name));
  if (dangerous.length > 0) {
    tell.warning(
      `the pool "${match}" leaves its containers ${dangerous.join(", ")}, which reaches beyond them to the host`,
      "take it out of containers.capabilities, unless every image there is to be trusted with the host",
    );
  }
  if (!noNewPrivileges) {
    tell.warning(
      `the pool "${match}" lets programs in its containers gain powers by being run`,
      "leave containers.noNewPrivileges at true, unless an image needs sudo or the like",
    );
  }
}
