interface ServerEvent {
  type: string;
  data: string;
  /** Of the last event that had one. */
  id: string;
}

/** What a client of server-sent events keeps from one connection to the next. */
export interface EventReading {
  lastId: string;
  events: ServerEvent[];
  /** `retry` as the server said it, in milliseconds. */
  retryMs: number | null;
  /** What was said to keep the connection alive. */
  comments: number;
}

export function newReading(): EventReading {
  return { lastId: "", events: [], retryMs: null, comments: 0 };
}

/**
 * Connects once, as a browser's EventSource does, and takes in events until the answer ends or so
 * many bytes have come. An event that was not whole by then does not count.
 *
 * @returns The status of the answer.
 */
export async function readEvents(
  url: string,
  reading: EventReading,
  options: { bytes?: number; signal?: AbortSignal } = {},
): Promise<number> {
  const { bytes = Number.POSITIVE_INFINITY, signal } = options;
  const enough = new AbortController();
  const answer = await fetch(url, {
    headers: {
      accept: "text/event-stream",
      ...(reading.lastId === "" ? {} : { "last-event-id": reading.lastId }),
    },
    signal: AbortSignal.any([enough.signal, ...(signal === undefined ? [] : [signal])]),
  });
  const decoder = new TextDecoder();
  let [text, taken] = ["", 0];
  try {
    for await (const part of answer.body ?? []) {
      text += decoder.decode(part.subarray(0, bytes - taken), { stream: true });
      taken += part.length;
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) takeIn(block, reading);
      if (taken >= bytes) break;
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
  enough.abort();
  return answer.status;
}

/** A block of lines without the empty one at its end. */
function takeIn(block: string, reading: EventReading): void {
  const fields = block.split("\n").map((line) => /^(\w*):? ?(.*)$/s.exec(line) ?? []);
  const valuesOf = (name: string) =>
    fields.flatMap(([, field, value = ""]) => (field === name ? [value] : []));
  reading.lastId = valuesOf("id").at(-1) ?? reading.lastId;
  reading.retryMs = Number(valuesOf("retry").at(-1) ?? reading.retryMs);
  reading.comments += valuesOf("").length;
  const data = valuesOf("data");
  if (data.length === 0) return;
  const [type = "message"] = valuesOf("event");
  reading.events.push({ type, data: data.join("\n"), id: reading.lastId });
}

/** What of a stream's text was told in `log` events. */
export function textOf({ events }: EventReading, stream: string): string {
  return events
    .filter(({ type }) => type === "log")
    .map(({ data }) => JSON.parse(data))
    .filter((frame) => frame.stream === stream)
    .map((frame) => frame.data)
    .join("");
}
