import { ClientError } from "./client-error.ts";

const PASSING = [502, 503, 504];
const MAX_WORDS = 1_000;
/** How a refusal begins that is for the role or the tasks of who asks; others are of a policy. */
const OF_WHO_ASKS = /^This (?:needs the role|token is only) /;

/** An answer that is not what was asked for, as an error that says what to do about it. */
export async function refusalOf(server: string, response: Response): Promise<ClientError> {
  const { status } = response;
  if (status >= 300 && status < 400) return redirectOf(server, response);
  const words = wordsOf(await response.text().catch(() => ""));
  const options = { status, isPassing: PASSING.includes(status), words };
  const said = words ?? `${server} answered ${status}`;
  if (status === 401) {
    const why = words ?? `${server} does not know who asks`;
    const how = `log in with "fastlane login ${server}", or give a token in FASTLANE_TOKEN`;
    return new ClientError(`${why}; ${how}`, options);
  }
  if (status === 403) {
    const hint = OF_WHO_ASKS.test(said) ? '; "fastlane whoami" tells what you may do' : "";
    return new ClientError(`${server} does not allow it: ${said}${hint}`, options);
  }
  if (status === 429) {
    if (words?.includes("try again")) return new ClientError(words, options);
    const wait = response.headers.get("retry-after");
    const when = wait !== null && /^\d+$/.test(wait) ? `in ${wait} s` : "a little later";
    return new ClientError(`${server} was asked too often: ${said}; try again ${when}`, options);
  }
  if (words !== null) return new ClientError(words, options);
  if (options.isPassing) {
    const why = "what stands in front of fastlane does not reach it";
    return new ClientError(`${server} answered ${status}: ${why}`, options);
  }
  return new ClientError(`${notFastlane(server)}: it answered ${status} in other words`, options);
}

/** What is said of a server whose answers are not those of the contract. */
export function notFastlane(server: string): string {
  return `${server} is not a fastlane`;
}

/** A login is for one URL: it is never taken along to another. */
function redirectOf(server: string, response: Response): ClientError {
  const location = URL.parse(response.headers.get("location") ?? "", server);
  const where = location === null ? "elsewhere" : `to ${location.origin}${location.pathname}`;
  return new ClientError(`${server} leads ${where}: give the URL that fastlane itself has`, {
    status: response.status,
  });
}

/** What a fastlane said of an error. */
function wordsOf(body: string): string | null {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== "object" || value === null || !("error" in value)) return null;
    if (typeof value.error !== "string") return null;
    // Whoever answers must not move the terminal's cursor, nor turn round what is read.
    return value.error
      .replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, "\u{fffd}")
      .slice(0, MAX_WORDS);
  } catch {
    return null;
  }
}
