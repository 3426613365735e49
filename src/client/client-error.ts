/** Why a fastlane could not be asked, or what it answered: one sentence, to be shown as it stands. */
export class ClientError extends Error {
  override readonly name = "ClientError";
  /** The status of the answer; `null` where none came. */
  readonly status: number | null;
  /** Whether the same request may go well a little later. */
  readonly isPassing: boolean;
  /** What the server itself said; `null` where it said nothing that can be read. */
  readonly words: string | null;

  constructor(
    message: string,
    options: {
      status?: number | null;
      isPassing?: boolean;
      words?: string | null;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = options.status ?? null;
    this.isPassing = options.isPassing ?? false;
    this.words = options.words ?? null;
  }
}
