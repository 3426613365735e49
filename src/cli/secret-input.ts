import { text } from "node:stream/consumers";
import { ClientError } from "../client/client-error.ts";

const ENDS = ["\r", "\n", "\u0004"];
const INTERRUPT = "\u0003";
const ERASES = ["\u007f", "\b"];

/**
 * A secret that the user types, which the terminal does not show; all of what a pipe has, where
 * there is no terminal. Without the space around it.
 */
export async function readSecret(prompt: string): Promise<string> {
  const { stdin, stderr } = process;
  if (stdin.isTTY !== true) return (await text(stdin)).trim();
  stderr.write(prompt);
  stdin.setRawMode(true);
  try {
    return (await typed(stdin)).trim();
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write("\n");
  }
}

async function typed(stdin: NodeJS.ReadStream): Promise<string> {
  let secret = "";
  for await (const bytes of stdin) {
    for (const char of String(bytes)) {
      if (char === INTERRUPT) throw new ClientError("Interrupted: nothing was saved");
      if (ENDS.includes(char)) return secret;
      secret = ERASES.includes(char) ? secret.slice(0, -1) : secret + char;
    }
  }
  return secret;
}
