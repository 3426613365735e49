import { html } from "hono/html";
import type {
  OpenApiDocument,
  OperationObject,
  ParameterObject,
  ResponseObject,
} from "./document.ts";
import type { Method } from "./operation.ts";
import { codeBlock, curlOf, type Html } from "./page-code.ts";
import { keysOf, linkTo, meaningOf, typeOf } from "./page-schema.ts";

/** An operation with what finds it. */
export interface Entry {
  path: string;
  method: Method;
  operation: OperationObject;
}

/** One operation: its words at one side, its examples at the other. */
export function operationArticle(document: OpenApiDocument, entry: Entry): Html {
  const { path, method, operation } = entry;
  const { operationId: id, summary, description } = operation;
  return html`
<article id="${id}" aria-labelledby="${id}-title">
<h3 id="${id}-title"><a href="#${id}">${summary}</a></h3>
<p class="url">${methodBadge(method)} <code>${pathOf(path)}</code></p>
<div class="sides">
<div class="words">
<p>${description}</p>
${parametersOf(document, operation)}
${bodyOf(document, operation)}
${answersOf(operation)}
</div>
<div class="examples">
<h4>Request</h4>
${codeBlock(curlOf(document, path, method, operation))}
${otherExamples(operation)}
${answerExamples(operation)}
</div>
</div>
</article>`;
}

export function methodBadge(method: Method): Html {
  return html`<span class="method ${method}">${method.toUpperCase()}</span>`;
}

/** With places where a long path may be broken. */
export function pathOf(path: string): Html {
  return html`${path.split(/(?<=\/)/).map((part) => html`${part}<wbr>`)}`;
}

function parametersOf(document: OpenApiDocument, { parameters }: OperationObject): Html {
  const shown = parameters.flatMap(({ $ref }) => {
    const parameter = document.components.parameters[nameOf($ref)];
    // That one goes with every request, and is told of once.
    return parameter === undefined || parameter.name === "X-Request-ID" ? [] : [parameter];
  });
  if (shown.length === 0) return html``;
  return html`<h4>Parameters</h4><dl class="keys">${shown.map(parameterKey)}</dl>`;
}

function parameterKey({ name, in: place, required, schema, description }: ParameterObject): Html {
  const isTold = required && place !== "path";
  return html`<div><dt><code>${name}</code> <em>${place}${isTold ? ", required" : ""}</em>
<span class="type">${typeOf(schema)}</span></dt><dd>${meaningOf({ description })}</dd></div>`;
}

function bodyOf({ components }: OpenApiDocument, { requestBody }: OperationObject): Html {
  const schema = requestBody?.content["application/json"]?.schema;
  if (schema?.$ref === undefined) return html``;
  const named = Object.entries(components.schemas).find(([name]) => name === nameOf(schema.$ref));
  if (named === undefined) return html``;
  return html`<h4>Body</h4>
<details><summary>Keys of ${named[0]}</summary>${keysOf(named[1])}</details>`;
}

/** Refusals are much the same everywhere: they are told of when asked for. */
function answersOf({ responses }: OperationObject): Html {
  const all = Object.entries(responses);
  const isRefusal = ([, { content }]: (typeof all)[number]) =>
    content["application/json"]?.schema.$ref?.endsWith("/ErrorAnswer") === true;
  const refusals = all.filter(isRefusal);
  const statuses = refusals.map(([status]) => html` ${statusBadge(status)}`);
  return html`<h4>Answers</h4>
<dl class="keys">${all.filter((response) => !isRefusal(response)).map(answerRow)}</dl>
<details><summary>Errors${statuses}</summary>
<dl class="keys">${refusals.map(answerRow)}</dl></details>`;
}

function answerRow([status, { description, content }]: [string, ResponseObject]): Html {
  const schema = Object.values(content)[0]?.schema;
  const [name = "nothing"] = Object.keys(content);
  const type = schema?.$ref === undefined ? html`${name}` : linkTo(schema.$ref);
  return html`<div><dt>${statusBadge(status)} <span class="type">${type}</span></dt>
<dd>${description}.</dd></div>`;
}

function statusBadge(status: string): Html {
  return html`<span class="status is${status.slice(0, 1)}">${status}</span>`;
}

function otherExamples({ requestBody }: OperationObject): Html {
  const examples = Object.values(requestBody?.content["application/json"]?.examples ?? {});
  const others = examples.slice(1).map(
    ({ summary, value }) => html`
<details><summary>${summary}</summary>${codeBlock(value)}</details>`,
  );
  return html`${others}`;
}

/** The good answer is shown, the others when asked for. */
function answerExamples({ responses }: OperationObject): Html {
  const examples = Object.entries(responses).flatMap(([status, { content }]) =>
    Object.values(content).map(({ example }) => ({ status, example })),
  );
  const [first, ...others] = examples;
  return html`<h4>Answer ${statusBadge(first?.status ?? "")}</h4>
${codeBlock(first?.example)}
<details><summary>Examples of the others</summary>${others.map(
    ({ status, example }) => html`<p>${statusBadge(status)}</p>${codeBlock(example)}`,
  )}</details>`;
}

const nameOf = (ref = "") => ref.split("/").at(-1) ?? "";
