import { AppError } from "../core/errors.ts";
import { MAX_BODY_BYTES } from "../payload/job-payload.ts";
import type { HttpContext } from "./context.ts";

/**
 * The body as text, whatever its Content-Type says; counted while it is read, since a client may
 * say nothing about its length.
 *
 * @throws {AppError} `body_too_large` or `body_unreadable`.
 */
export async function bodyText(c: HttpContext): Promise<string> {
  const tooLarge = () =>
    new AppError("body_too_large", `The body must have at most ${MAX_BODY_BYTES} bytes`);
  if (Number(c.req.header("content-length") ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let bytes = 0;
  try {
    // One that says its length is held to it by the server, and is read at once.
    if (c.req.header("content-length") !== undefined) {
      return decoder.decode(await c.req.raw.arrayBuffer());
    }
    for await (const chunk of c.req.raw.body ?? []) {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) throw tooLarge();
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  } catch (error) {
    if (error instanceof AppError) throw error;
    // The client broke off, or sent other bytes than UTF-8.
    throw new AppError("body_unreadable", "The body must be whole, and UTF-8", { cause: error });
  }
}
