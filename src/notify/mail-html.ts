import { html, raw } from "hono/html";
import style from "./mail.css" with { type: "text" };

/** What both parts of a mail show, ready to be read. */
export interface MailView {
  title: string;
  /** Of whom it is true. */
  about: string;
  /** Which colour it has. */
  tone: "good" | "bad" | "neutral";
  rows: readonly (readonly [name: string, value: string])[];
  links: readonly (readonly [name: string, url: string])[];
  /** `null` where nothing has run yet. */
  log: { heading: string; text: string } | null;
  closing: string;
}

/**
 * A page for mail programs: one column, nothing from elsewhere, and still in order in those that
 * drop its style.
 */
export function mailHtml({ title, about, tone, rows, links, log, closing }: MailView): string {
  const [first, ...others] = links;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>${title} ${about}</title>
<style>
${raw(style)}</style>
</head>
<body>
<div class="page">
<div class="head ${tone}">
<h1>${title}</h1>
<p class="about">${about}</p>
</div>
<table>
${rows.map(
  ([
    name,
    value,
  ]) => html`<tr><th scope="row" align="left" valign="top">${name}</th><td>${value}</td></tr>
`,
)}</table>
<p>${first === undefined ? "" : html`<a class="main" href="${first[1]}">${first[0]}</a>`}
${others.map(
  ([name, url]) => html`<a href="${url}">${name}</a>
`,
)}</p>
${log === null ? "" : html`<h2>${log.heading}</h2>`}
${log === null || log.text === "" ? "" : html`<pre style="white-space:pre-wrap;overflow-wrap:anywhere">${log.text}</pre>`}
<p class="closing">${closing}</p>
</div>
</body>
</html>
`;
  return String(page);
}
