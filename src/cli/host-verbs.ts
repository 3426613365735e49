import type { Command } from "commander";
import { BlacklistAnswer, DrainAnswer } from "../client/farm-answers.ts";
import { safeLine } from "../terminal/safe-text.ts";
import { statusPaint } from "../terminal/status-words.ts";
import { table } from "../terminal/table.ts";
import { withClientOptions } from "./client-options.ts";
import { shortId } from "./execution-table.ts";
import { laterOption } from "./flags.ts";
import type { Surroundings } from "./program.ts";
import { show } from "./screen.ts";

const HOST_HELP = "\nHOST is as the configuration writes it, or name:port.";
const BLACKLIST = "/docker-executor/blacklist/";

/** What is done to a host. */
export function addHostVerbs(hosts: Command, surroundings: Surroundings): void {
  const blacklist = withClientOptions(
    hosts.command("blacklist <host>").description("give nothing new to a host"),
  ).addHelpText("after", `${HOST_HELP}\n\nExample:\n  fastlane hosts blacklist 10.0.0.7:2375`);
  blacklist.action(async (host: string) => {
    await show(blacklist, surroundings, {
      schema: BlacklistAnswer,
      ask: (client) => client.send("POST", BLACKLIST, { host }),
      draw: ({ name }) => `Nothing new is given to ${safeLine(name)}; what runs there runs on\n`,
    });
  });

  const allow = withClientOptions(
    hosts.command("allow <host>").description("let a host have something again"),
  ).addHelpText("after", `${HOST_HELP}\n\nExample:\n  fastlane hosts allow 10.0.0.7:2375`);
  allow.action(async (host: string) => {
    await show(allow, surroundings, {
      schema: BlacklistAnswer,
      ask: (client) => client.send("DELETE", BLACKLIST, { host }),
      draw: ({ name }) => `${safeLine(name)} may have something again\n`,
    });
  });

  const drain = withClientOptions(
    hosts
      .command("drain <host>")
      .description("give nothing new to a host, and tell what it waits for"),
  )
    .addOption(laterOption("--deadline", "stop what still runs then: 10m, or ISO 8601"))
    .addHelpText(
      "after",
      `${HOST_HELP}\n\nExample:\n  fastlane hosts drain 10.0.0.7:2375 --deadline 10m`,
    );
  drain.action(async (host: string) => {
    const { deadline } = drain.opts<{ deadline?: string }>();
    await show(drain, surroundings, {
      schema: DrainAnswer,
      ask: (client) =>
        client.send(
          "POST",
          "/hosts/drain/",
          deadline === undefined ? { host } : { host, deadline },
        ),
      draw: ({ name, waitsFor, deadline: at }, screen) => {
        const end = at === null ? "" : `; what runs then is stopped at ${at}`;
        const told = `Nothing new is given to ${safeLine(name)}${end}\n`;
        if (waitsFor.length === 0) return `${told}It runs nothing\n`;
        const columns = [
          { head: "TASK", of: (each: WaitedFor) => each.taskId, least: 12 },
          { head: "EXECUTION", of: (each: WaitedFor) => shortId(each.id, screen) },
          {
            head: "STATUS",
            of: (each: WaitedFor) => each.status,
            paint: (each: WaitedFor) => statusPaint(each.status, screen.colours),
          },
        ];
        return `${told}It waits for:\n${table(waitsFor, columns, screen)}`;
      },
    });
  });
}

interface WaitedFor {
  id: string;
  taskId: string;
  status: string;
}
