import type { SmtpLogin } from "../core/smtp-login.ts";
import { tryMailServer } from "../notify/smtp.ts";
import type { Check } from "./finding.ts";

const WITHIN_MS = 20_000;
const LIMITS = { stepMs: 8_000, overallMs: 15_000 };

/** Whether the mail server takes us; no mail is sent. */
export function mailServerCheck(login: SmtpLogin): Check {
  const { host, port, user } = login;
  const where = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return {
    subject: `mail server ${where}`,
    withinMs: WITHIN_MS,
    async run(tell) {
      const reason = await tryMailServer(login, LIMITS);
      if (reason === null) {
        tell.ok(user === undefined ? "it takes a session" : `it takes the login of "${user}"`);
        return;
      }
      tell.problem(
        `no mail can be sent by it: ${reason}`,
        "see smtpHost, smtpPort, smtpUseSsl and the login, and try fastlane notify-test --mail ADDRESS",
      );
    },
  };
}
