import { html } from "hono/html";
import { icon, iconSheet } from "./stream-icons.ts";

type Html = ReturnType<typeof html>;

/** What the page is about; its paths begin on this server, without a slash at their ends. */
export interface StreamPage {
  taskId: string;
  jobId: string;
  /** `null` on a job's own page: it follows whatever execution is the last. */
  executionId: string | null;
  /** How the execution is just now; `null` where there is none yet. */
  status: string | null;
  /** Where the API is. */
  root: string;
  taskPath: string;
  jobPath: string;
  /** Names script and style as they are in this version. */
  revision: string;
}

const KEYS: readonly (readonly [readonly string[], string])[] = [
  [["/"], "Search"],
  [["Enter", "n"], "Next match"],
  [["Shift+Enter", "N"], "Previous match"],
  [["Esc"], "Leave the search"],
  [["f"], "Follow the log"],
  [["w"], "Wrap long lines"],
  [["t"], "Show times"],
  [["g", "Home"], "To the beginning"],
  [["G", "End"], "To the end"],
  [["?"], "Show these keys"],
];

/**
 * The page that shows a log as it is written. All that a container or a payload has said comes by
 * its socket; here are ids alone.
 */
export function streamPage(page: StreamPage): Html {
  const { taskId, jobId, executionId, status, root, revision } = page;
  const executionPath = executionId === null ? "" : `${page.jobPath}/executions/${executionId}`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${taskId} - ${status ?? "waiting"} - fastlane</title>
<link rel="icon" href="${root}/page/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${root}/page/stream.css?v=${revision}">
<script src="${root}/page/stream.js?v=${revision}"></script>
</head>
<body data-root="${root}" data-task="${taskId}" data-job="${jobId}" data-execution="${executionId ?? ""}"
 data-job-path="${page.jobPath}" data-now="${new Date().toISOString()}">
${iconSheet()}
<a class="skip" href="#log">Skip to the log</a>
<header>
<div class="top">
<a class="name" href="${root}/docs">fastlane</a>
<nav aria-label="Where this is"><ol>
<li><a href="${page.taskPath}/">${taskId}</a></li>
<li><a href="${page.jobPath}/" title="Job ${jobId}"><span class="word">job </span><code>${jobId.slice(0, 8)}</code></a></li>
<li><a id="execution" href="${executionPath}/" title="Execution ${executionId ?? ""}"${hiddenIf(executionId === null)}><span class="word">execution </span><code>${(executionId ?? "").slice(0, 8)}</code></a></li>
</ol></nav>
<button type="button" id="theme" class="quiet">${icon("face")}<span class="hide">Colours: system</span></button>
<button type="button" id="help" class="quiet" aria-haspopup="dialog">${icon("help")}<span class="hide">Keys</span></button>
</div>
<div class="summary">
<h1>${taskId}</h1>
<dl class="facts">
<div class="state"><dt class="hide">Status</dt><dd id="status" data-status="${status ?? "waiting"}">${icon("state", "waiting")}<span>${status ?? "waiting"}</span></dd></div>
<div hidden><dt>exit code</dt><dd id="exit-code"></dd></div>
<div hidden><dt id="duration-name">for</dt><dd id="duration"></dd></div>
<div hidden class="begun"><dt>started</dt><dd><time id="started"></time></dd></div>
</dl>
<div class="actions">
<button type="button" id="stop" hidden>${icon("stop")}Stop</button>
<button type="button" id="retry" hidden>${icon("retry")}Retry</button>
<details id="downloads"${hiddenIf(executionId === null)}><summary class="button">${icon("download")}Download</summary>
<ul>${["logs", "stdout", "stderr"].map(
    (kind) =>
      html`<li><a data-kind="${kind}" href="${executionPath}/${kind}/?download=true" download>${kind === "logs" ? "Both streams" : kind}</a></li>`,
  )}</ul></details>
</div>
<p id="reason" hidden></p>
</div>
</header>
<main>
<div class="tools">
<search>
<label class="hide" for="query">Search the log</label>
${icon("search")}<input id="query" type="search" autocomplete="off" autocapitalize="off" spellcheck="false" placeholder="Search" enterkeyhint="search" maxlength="500" aria-describedby="found">
<kbd aria-hidden="true">/</kbd>
<output id="found" for="query"></output>
<button type="button" id="previous" class="quiet" disabled>${icon("up")}<span class="hide">Previous match</span></button>
<button type="button" id="next" class="quiet" disabled>${icon("down")}<span class="hide">Next match</span></button>
<button type="button" id="leave" class="quiet">${icon("leave")}<span class="hide">Leave the search</span></button>
</search>
<div class="switches">
<button type="button" id="times" class="switch" aria-pressed="false">${icon("clock")}<span>Times</span></button>
<button type="button" id="wrap" class="switch" aria-pressed="false">${icon("wrap")}<span>Wrap</span></button>
<button type="button" id="follow" class="switch" aria-pressed="true">${icon("follow")}<span>Follow</span></button>
</div>
</div>
<div class="frame">
<section id="log" aria-label="Log" tabindex="0"><div id="sizer"><div id="rows"></div></div></section>
<p id="empty"><span></span></p>
<button type="button" id="more" hidden>${icon("follow")}<span></span></button>
</div>
</main>
<footer>
<p id="connection" data-state="connecting"><span class="dot"></span><span>Connecting</span></p>
<button type="button" id="reconnect" class="link" hidden>Try now</button>
<p id="amount"></p>
</footer>
<p id="news" class="hide" role="status"></p>
<dialog id="keys" aria-labelledby="keys-title"><h2 id="keys-title">Keys</h2>
<dl>${KEYS.map(([keys, what]) => html`<div><dt>${keys.map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${what}</dd></div>`)}</dl>
<button type="button" data-close>Close</button></dialog>
<dialog id="confirm" aria-labelledby="confirm-title" aria-describedby="confirm-text"><h2 id="confirm-title">Stop this execution?</h2>
<p id="confirm-text"></p>
<div class="actions"><button type="button" data-close>Let it run</button><button type="button" id="confirmed" class="grave">Stop it</button></div></dialog>
<noscript><p>This page needs JavaScript. The log as text is at <a href="${executionPath === "" ? page.jobPath : executionPath}/logs/">logs/</a>.</p></noscript>
</body>
</html>`;
}

const hiddenIf = (isHidden: boolean) => (isHidden ? html` hidden` : html``);
