import type { Command } from "commander";
import type * as v from "valibot";
import { type Client, read } from "../client/client.ts";
import { messageOf } from "../core/errors.ts";
import { coloursFor } from "../terminal/colours.ts";
import { safeJson } from "../terminal/safe-json.ts";
import type { Room } from "../terminal/table.ts";
import { clientOf } from "./client-options.ts";
import type { Surroundings } from "./program.ts";

/** Where a command's answer is shown. */
export interface Screen extends Room {
  now: Date;
}

export function screenOf(command: Command, { environment }: Surroundings): Screen {
  const { isTTY: isTerminal = false, columns } = process.stdout;
  const { color } = command.opts<{ color?: boolean }>();
  return {
    // A terminal that nobody told its size has none.
    columns: isTerminal && columns > 0 ? columns : null,
    colours: coloursFor({ isTerminal, environment, refused: color === false }),
    now: new Date(),
  };
}

/** How an answer is had, checked and shown. */
export interface Showing<Schema extends v.GenericSchema> {
  schema: Schema;
  ask(client: Client): Promise<unknown>;
  /** Whole lines. */
  draw(answer: v.InferOutput<Schema>, screen: Screen, client: Client): string | Promise<string>;
  /** How to go on, where there is more; a pipe does not take it. */
  more?(answer: v.InferOutput<Schema>): string | null;
}

/** Asks, and prints the answer: for people as it is drawn, with `--json` as it came. */
export async function show<Schema extends v.GenericSchema>(
  command: Command,
  surroundings: Surroundings,
  showing: Showing<Schema>,
): Promise<void> {
  await showOf(await clientOf(command, surroundings), command, surroundings, showing);
}

/** The same of a client that is there already. */
export async function showOf<Schema extends v.GenericSchema>(
  client: Client,
  command: Command,
  surroundings: Surroundings,
  { schema, ask, draw, more }: Showing<Schema>,
): Promise<void> {
  const answer = await ask(client);
  if (wantsJson(command)) return await print(`${safeJson(answer)}\n`);
  const told = read(client, schema, answer);
  await print(await draw(told, screenOf(command, surroundings), client));
  const further = more?.(told) ?? null;
  if (further !== null) hint(further);
}

/**
 * Resolves when whoever reads has it; ends the process quietly when nobody does any more.
 *
 * @throws {Error} When it cannot be written, as on a disk that is full.
 */
export async function print(text: string): Promise<void> {
  const failed = Promise.withResolvers<never>();
  process.stdout.once("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    failed.reject(new Error(`Cannot write the answer: ${messageOf(error)}`));
  });
  await Promise.race([written(text), failed.promise]);
}

async function written(text: string): Promise<void> {
  await new Promise<void>((resolve) => {
    process.stdout.write(text, (error) => {
      if (!error) resolve();
    });
  });
}

export function wantsJson(command: Command): boolean {
  return command.opts<{ json?: boolean }>().json === true;
}

/** A word beside the answer, which a pipe does not take. */
export function hint(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function moreBehind({ nextCursor }: { nextCursor: string | null }): string | null {
  return nextCursor === null ? null : `There are more: --cursor ${nextCursor} goes on`;
}
