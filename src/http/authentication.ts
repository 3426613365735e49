import { createHash, timingSafeEqual } from "node:crypto";
import { createMiddleware } from "hono/factory";
import { type Actor, ANONYMOUS } from "../core/actor.ts";
import { AppError } from "../core/errors.ts";
import type { ReadToken } from "../core/token.ts";
import type { TokenState } from "../store/tokens.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "./context.ts";
import { type Credentials, credentialsOf, isLikeToken } from "./credentials.ts";
import { createFailures } from "./failures.ts";
import { ENDLESS, type Session } from "./session.ts";
import { createTaskScope } from "./task-scope.ts";
import { createTokenFinder } from "./token-finder.ts";
import { provenIp } from "./urls.ts";

type AuthenticationDeps = Pick<
  HttpDeps,
  | "db"
  | "tokenWatch"
  | "basicAuth"
  | "authenticationRealm"
  | "requiresAuthentication"
  | "trustedProxies"
>;

/** Who asks, and what comes of their credentials later on. */
interface Known {
  actor: Actor;
  session: Session;
}

const NOBODY: Known = { actor: ANONYMOUS, session: ENDLESS };
const NO_TOKEN = "This is no token: it is cut off, or mistyped";

/**
 * Finds out who asks, everywhere but where monitors look. Who gives wrong credentials again and
 * again is not listened to for a while; a whole token always is, since nobody guesses one and
 * others may have the same address.
 */
export function authentication(deps: AuthenticationDeps) {
  const failures = createFailures();
  const findToken = createTokenFinder(deps.db);
  const isInScope = createTaskScope(deps.db);

  const ofToken = async (c: HttpContext, token: ReadToken): Promise<Known> => {
    const found = await findToken(token);
    if (found === null) {
      failures.add(provenIp(deps, c));
      throw refusal(deps, c, "This token is not known");
    }
    if (found.state !== "live") throw refusal(deps, c, sentenceOfEnd(found));
    const { id, name, role, taskMatch, expiresAt } = found;
    return {
      actor: { kind: "token", name, role, taskMatch },
      session: {
        expiresAt,
        isFor: async (taskId) => taskMatch === null || (await isInScope(taskMatch, taskId)),
        follow: (onEnd) => deps.tokenWatch.follow(id, onEnd),
      },
    };
  };

  const ofPair = (c: HttpContext, username: string, password: string): Known => {
    const { basicAuth } = deps;
    const address = provenIp(deps, c);
    const expected = basicAuth === null ? null : `${basicAuth.username}:${basicAuth.password}`;
    if (expected !== null && isSame(`${username}:${password}`, expected)) {
      failures.forget(address);
      return { ...NOBODY, actor: { ...ANONYMOUS, kind: "basic", name: username } };
    }
    // A proxy may ask for passwords of its own.
    if (!deps.requiresAuthentication && !isLikeToken(password)) return NOBODY;
    failures.add(address);
    throw refusal(
      deps,
      c,
      isLikeToken(password) ? NO_TOKEN : "The user name or the password is wrong",
    );
  };

  const identify = async (c: HttpContext, given: Credentials): Promise<Known> => {
    if (given.kind === "token") return await ofToken(c, given.token);
    if (given.kind === "none") {
      if (!deps.requiresAuthentication) return NOBODY;
      throw refusal(deps, c, sentenceOfAsking(deps));
    }
    const seconds = failures.waitSeconds(provenIp(deps, c));
    if (seconds > 0) {
      c.header("retry-after", String(seconds));
      const text = `Too many wrong credentials came from this address: try again in ${seconds} s`;
      throw new AppError("too_many_failures", text);
    }
    if (given.kind === "password") return ofPair(c, given.username, given.password);
    failures.add(provenIp(deps, c));
    throw refusal(deps, c, NO_TOKEN);
  };

  return createMiddleware<HttpEnv>(async (c, next) => {
    const isOpen = c.req.path === "/healthcheck";
    const { actor, session } = isOpen ? NOBODY : await identify(c, credentialsOf(c));
    c.set("actor", actor);
    c.set("session", session);
    await next();
  });
}

function refusal(
  { authenticationRealm: realm }: Pick<AuthenticationDeps, "authenticationRealm">,
  c: HttpContext,
  sentence: string,
): AppError {
  c.header("www-authenticate", `Basic realm="${realm}", charset="UTF-8"`, { append: true });
  c.header("www-authenticate", `Bearer realm="${realm}"`, { append: true });
  return new AppError("not_authenticated", sentence);
}

function sentenceOfAsking({ basicAuth }: Pick<AuthenticationDeps, "basicAuth">): string {
  return `This fastlane asks for a token${basicAuth === null ? "" : ", or a user name and a password"}`;
}

function sentenceOfEnd({ name, state, expiresAt }: TokenState): string {
  if (state === "revoked") return `The token "${name}" was revoked`;
  return `The token "${name}" expired at ${expiresAt?.toISOString()}`;
}

/** In a time that tells nothing of where they differ, nor of their lengths. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
