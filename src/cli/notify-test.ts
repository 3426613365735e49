import { type Command, InvalidArgumentError, Option } from "commander";
import type { Config } from "../config/schema.ts";
import { isWebhookUrl, WEBHOOK_URL_WRONG } from "../core/webhook-rules.ts";
import { sampleMail, sampleWebhook } from "../notify/sample.ts";
import { sendMail } from "../notify/smtp.ts";
import { sendWebhook } from "../notify/webhook.ts";
import { configOf, withConfigOptions } from "./options.ts";
import type { Surroundings } from "./program.ts";

interface Flags {
  webhook?: string;
  secret?: string;
  mail?: string;
}

/** A webhook or a mail that was not taken ends the command with this. */
const EXIT_CODE_OF_FAILURE = 1;

export function addNotifyTestCommand(program: Command, surroundings: Surroundings): void {
  const command = withConfigOptions(
    program
      .command("notify-test")
      .description(
        "send a sample webhook or mail as the configuration says, and show what was said",
      )
      .addOption(new Option("--webhook <url>", "where to send a webhook").argParser(urlOf))
      .option("--secret <text>", "what it is signed by")
      .addOption(new Option("--mail <address>", "whom to send a mail").conflicts("webhook"))
      .addHelpText(
        "after",
        "\nExamples:\n  fastlane notify-test --webhook https://hooks.example/fastlane\n" +
          "  fastlane notify-test --mail ops@example.com --config /etc/fastlane/fastlane.toml",
      ),
  );
  command.action(async () => {
    const flags = command.opts<Flags>();
    const config = configOf(command, surroundings);
    const error = await tryOut(command, config, flags, surroundings.version);
    say(error === null ? "It was taken" : `It was not taken: ${error}`);
    if (error !== null) process.exitCode = EXIT_CODE_OF_FAILURE;
  });
}

/** @returns Why it was not taken, `null` when it was. */
async function tryOut(
  command: Command,
  config: Config,
  { webhook, secret, mail }: Flags,
  version: string,
): Promise<string | null> {
  const { signal } = new AbortController();
  if (webhook !== undefined) {
    const rules = {
      allowPrivate: config.webhooksAllowPrivate,
      userAgent: `fastlane/${version}`,
      onLine: say,
    };
    return (await sendWebhook(sampleWebhook(webhook, secret ?? null), rules, signal)).error;
  }
  if (mail === undefined) command.error("error: give --webhook URL or --mail ADDRESS");
  if (config.smtp === null) return "smtpHost is not configured";
  return (await sendMail(config.smtp, sampleMail(mail), signal, { onLine: say })).error;
}

function urlOf(text: string): string {
  if (isWebhookUrl(text)) return text;
  throw new InvalidArgumentError(`It ${WEBHOOK_URL_WRONG}.`);
}

/** What a server said must not move the terminal's cursor. */
function say(line: string): void {
  process.stdout.write(`${line.replace(/[^\P{Cc}\n\t]/gu, "\u{fffd}")}\n`);
}
