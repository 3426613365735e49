import { LOG_STREAMS } from "../../core/log-streams.ts";
import { moment, type Parameter, wholeNumber } from "./parameter.ts";

/** Of the routes that give a log. */
export const LOG_PARAMETERS = {
  tail: {
    in: "query",
    description:
      "only the last lines of each stream; followed, or as ndjson, those of all streams together",
    schema: wholeNumber(1, 1_000_000),
    example: 20,
  },
  logSince: {
    name: "since",
    in: "query",
    description:
      "from what was written at that time on: how long ago, such as 10m or 1h30m, UNIX seconds or ISO 8601",
    schema: moment,
    example: "48h",
  },
  format: {
    in: "query",
    description: "text when absent; ndjson is a line of JSON for each frame, in their order",
    schema: { type: "string", enum: ["text", "ndjson"] },
    example: "ndjson",
  },
  download: {
    in: "query",
    description: "whether a browser is to save the text as a file",
    schema: { type: "boolean" },
    example: true,
  },
  Range: {
    in: "header",
    description:
      "a single range of bytes of the whole text of an execution that has ended; all else is answered whole",
    schema: { type: "string" },
    example: "bytes=0-1023",
  },
  "If-Range": {
    in: "header",
    description: "the ETag that the text must still have for its range to be answered",
    schema: { type: "string" },
    example: '"5f0c-stdout-18"',
  },
  "If-None-Match": {
    in: "header",
    description: "the ETag of a text that is known: 304 where it is still the same",
    schema: { type: "string" },
    example: '"5f0c-stdout-18"',
  },
  stream: {
    in: "query",
    description:
      "one stream alone: stdout, stderr, or pull for how the pull of the image went on, which is in no other text; as ndjson it may be given several times",
    schema: { type: "string", enum: [...LOG_STREAMS] },
    example: "pull",
  },
  streams: {
    name: "stream",
    in: "query",
    description:
      "stdout, stderr, or pull for how the pull of the image went on; may be repeated, stdout and stderr when absent",
    schema: { type: "string", enum: [...LOG_STREAMS] },
    example: "stdout",
  },
  after: {
    in: "query",
    description: "the number of the frame behind which to begin, where frames have numbers",
    schema: wholeNumber(0, Number.MAX_SAFE_INTEGER),
    example: 0,
  },
  exact: {
    in: "query",
    description:
      "whether frames that are not UTF-8 by themselves have their bytes in base64, in place of data",
    schema: { type: "boolean" },
    example: true,
  },
  follow: {
    in: "query",
    description: "whether to go on with what is written, until the execution has ended",
    schema: { type: "boolean" },
    example: true,
  },
  "Last-Event-ID": {
    in: "header",
    description: "the id of the last event that came, as browsers send it; goes before after",
    schema: { type: "string", pattern: "^(\\d+|done)$" },
    example: "0",
  },
} as const satisfies Record<string, Parameter>;
