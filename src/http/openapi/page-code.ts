import { html } from "hono/html";
import type { OpenApiDocument, OperationObject } from "./document.ts";
import type { Method } from "./operation.ts";
import { PARAMETERS } from "./parameters.ts";

export type Html = ReturnType<typeof html>;

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\b\d+(?:\.\d+)?\b/g;

/** JSON, or any other text, as a block of code. */
export function codeBlock(value: unknown): Html {
  if (typeof value === "string") return html`<pre tabindex="0"><code>${value}</code></pre>`;
  return html`<pre tabindex="0"><code>${coloured(JSON.stringify(value, null, 2))}</code></pre>`;
}

function coloured(json: string): (Html | string)[] {
  const parts: (Html | string)[] = [];
  let end = 0;
  for (const match of json.matchAll(TOKEN)) {
    const [whole, text, colon] = match;
    parts.push(json.slice(end, match.index));
    end = match.index + whole.length;
    if (text === undefined) parts.push(html`<span class="v">${whole}</span>`);
    else if (colon === undefined) parts.push(html`<span class="s">${text}</span>`);
    else parts.push(html`<span class="k">${text}</span>${colon}`);
  }
  return [...parts, json.slice(end)];
}

/** The command that sends an operation's example, as a shell takes it. */
export function curlOf(
  { servers, components }: Pick<OpenApiDocument, "servers" | "components">,
  path: string,
  method: Method,
  { requestBody, security }: Pick<OperationObject, "requestBody" | "security">,
): string {
  const body = Object.values(requestBody?.content["application/json"]?.examples ?? {})[0]?.value;
  const isOpen = security?.length === 0;
  const asksForPassword = components.securitySchemes !== undefined && !isOpen;
  const parts = [
    "curl",
    ...(method === "get" || (method === "post" && body !== undefined)
      ? []
      : [`-X ${method.toUpperCase()}`]),
    ...(asksForPassword ? ["-u NAME:PASSWORD"] : []),
    quoted(`${servers[0]?.url ?? ""}${filledIn(path)}`),
  ];
  const command = parts.join(" ");
  return body === undefined
    ? command
    : `${command} \\\n  -d ${quoted(JSON.stringify(body, null, 2))}`;
}

function filledIn(path: string): string {
  const examples: Record<string, { example: unknown }> = PARAMETERS;
  return path.replace(/\{(\w+)\}/g, (_, name: string) => String(examples[name]?.example));
}

function quoted(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}
