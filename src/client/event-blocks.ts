/** A server-sent event: its name and its data, as JSON. */
export interface ServerEvent {
  name: string;
  data: string;
}

/** Takes in the text of server-sent events as it comes, and gives those that are whole. */
export function createEventReader(): (bytes: Uint8Array) => ServerEvent[] {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let rest = "";
  return (bytes) => {
    rest += decoder.decode(bytes, { stream: true }).replaceAll("\r", "");
    const end = rest.lastIndexOf("\n\n");
    if (end < 0) return [];
    const blocks = rest.slice(0, end).split("\n\n");
    rest = rest.slice(end + 2);
    return blocks.flatMap(eventOf);
  };
}

function eventOf(block: string): ServerEvent[] {
  let name = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") name = value;
    else if (field === "data") data.push(value);
  }
  return data.length === 0 ? [] : [{ name, data: data.join("\n") }];
}
