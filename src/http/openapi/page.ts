import { html } from "hono/html";
import type { OpenApiDocument } from "./document.ts";
import type { Method } from "./operation.ts";
import { codeBlock, type Html } from "./page-code.ts";
import { type Entry, methodBadge, operationArticle, pathOf } from "./page-operation.ts";
import { keysOf } from "./page-schema.ts";

/**
 * The document as one page to read. It has no script, and nothing from elsewhere.
 *
 * @param root Where the API is on its server: a path without a slash at its end.
 */
export function docsPage(document: OpenApiDocument, root: string): Html {
  const { info, servers, tags } = document;
  const sections = tags.map(({ name, description }) => ({
    id: idOf(name),
    name,
    description,
    entries: entriesOf(document).filter(({ operation }) => operation.tags.includes(name)),
  }));
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${info.title} API</title>
<link rel="stylesheet" href="${root}/docs/style.css">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="top">
<p class="name">${info.title}</p>
<p class="version">${info.version}</p>
<p class="links"><a href="${root}/openapi.json">openapi.json</a>
<a href="${root}/status/">status</a></p>
</header>
<div class="page">
<nav aria-label="Contents">
<ul>
${sections.map(
  ({ id, name, entries }) => html`<li><a href="#${id}">${name}</a>
<ul>${entries.map(linkOf)}</ul></li>`,
)}
<li><a href="#schemas">Schemas</a></li>
</ul>
</nav>
<main id="content" tabindex="-1">
<h1>${info.summary}</h1>
<ul class="lead">${info.description.split("\n\n").map((text) => html`<li>${text}</li>`)}</ul>
${codeBlock(`curl ${servers[0]?.url ?? ""}/openapi.json`)}
${sections.map(
  ({ id, name, description, entries }) => html`
<section aria-labelledby="${id}">
<h2 id="${id}">${name}</h2>
<p class="about">${description}</p>
<ul class="index">${entries.map(rowOf)}</ul>
${entries.map((entry) => operationArticle(document, entry))}
</section>`,
)}
${schemasSection(document)}
</main>
</div>
</body>
</html>`;
}

function schemasSection({ components }: OpenApiDocument): Html {
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => html`
<article id="schema-${name}" class="schema" aria-labelledby="schema-${name}-title">
<h3 id="schema-${name}-title"><a href="#schema-${name}">${name}</a></h3>
${keysOf(schema)}
</article>`,
  );
  const names = Object.keys(components.schemas).map(
    (name) => html`<li><a href="#schema-${name}">${name}</a></li>`,
  );
  return html`
<section aria-labelledby="schemas">
<h2 id="schemas">Schemas</h2>
<p class="about">What requests may have, and what answers have.</p>
<ul class="names">${names}</ul>
${schemas}
</section>`;
}

function linkOf({ operation }: Entry): Html {
  return html`<li><a href="#${operation.operationId}">${operation.summary}</a></li>`;
}

function rowOf({ path, method, operation }: Entry): Html {
  return html`<li><a href="#${operation.operationId}">${methodBadge(method)}
<code>${pathOf(path)}</code> <span>${operation.summary}</span></a></li>`;
}

function entriesOf({ paths }: OpenApiDocument): Entry[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method: method as Method,
      operation,
    })),
  );
}

const idOf = (tag: string) => `tag-${tag.toLowerCase().replaceAll(" ", "-")}`;
