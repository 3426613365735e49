import { AppError } from "../core/errors.ts";
import { MAX_BODY_BYTES } from "../payload/job-payload.ts";
import type { HttpContext } from "./context.ts";

/**
 * The body as text, whatever its Content-Type says; counted while it is read, since a client may
 * say nothing about its length.
 *
 * @throws {AppError} `body_too_large`.
 */
export async function bodyText(c: HttpContext): Promise<string> {
  const tooLarge = () =>
    new AppError("body_too_large", `The body must have at most ${MAX_BODY_BYTES} bytes`);
  if (Number(c.req.header("content-length") ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (...[chunk, options]: Parameters<typeof decoder.decode>) => {
    try {
      return decoder.decode(chunk, options);
    } catch {
      throw new AppError("body_unreadable", "The body must be UTF-8");
    }
  };
  let text = "";
  let bytes = 0;
  for await (const chunk of c.req.raw.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw tooLarge();
    text += decode(chunk, { stream: true });
  }
  return text + decode();
}
