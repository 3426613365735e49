import { type About, executionPath, subjectPath } from "./about.ts";
import { byId, tell } from "./elements.ts";
import { type ExecutionStatus, hasEnded } from "./frames.ts";

/** Stop, retry and the downloads. */
export function connectActions(about: About): { show(status: ExecutionStatus): void } {
  const stop = byId("stop", HTMLButtonElement);
  const retry = byId("retry", HTMLButtonElement);
  const confirm = byId("confirm", HTMLDialogElement);
  const downloads = byId("downloads", HTMLDetailsElement);

  stop.addEventListener("click", () => {
    byId("confirm-text", HTMLElement).textContent = about.isOfJob
      ? "It is stopped whatever it is doing, within some 10 s. The job's schedule is canceled, and no retry follows."
      : "It is stopped whatever it is doing, within some 10 s, and no retry follows.";
    confirm.showModal();
  });
  byId("confirmed", HTMLButtonElement).addEventListener("click", () => {
    confirm.close();
    const path = about.isOfJob ? about.jobPath : subjectPath(about);
    void act(stop, `${path}/stop/`);
  });
  retry.addEventListener("click", async () => {
    const answer = await act(retry, `${about.jobPath}/retry/`);
    const id = answer?.["executionId"];
    if (typeof id === "string") location.assign(`${executionPath(about.jobPath, id)}/stream/`);
  });
  closeWhenLeft(downloads);

  return {
    show(status) {
      stop.hidden = hasEnded(status);
      retry.hidden = !hasEnded(status);
      if (about.executionId === null) showExecution(about, status.executionId);
      about.executionId = status.executionId;
    },
  };
}

/** What could not be written into a job's page, as its execution was not known. */
function showExecution({ jobPath }: About, id: string): void {
  const path = executionPath(jobPath, id);
  const link = byId("execution", HTMLAnchorElement);
  link.href = `${path}/`;
  link.title = `Execution ${id}`;
  link.hidden = false;
  const code = link.querySelector("code");
  if (code !== null) code.textContent = id.slice(0, 8);
  const downloads = byId("downloads", HTMLDetailsElement);
  for (const anchor of downloads.querySelectorAll("a")) {
    anchor.href = `${path}/${anchor.dataset["kind"]}/?download=true`;
  }
  downloads.hidden = false;
}

/** Returns what was answered; `null` where it was refused, which is told. */
async function act(
  button: HTMLButtonElement,
  path: string,
): Promise<Record<string, unknown> | null> {
  button.disabled = true;
  try {
    const answer = await fetch(path, { method: "POST" });
    const body: Record<string, unknown> = await answer.json();
    if (answer.ok) return body;
    complain(String(body["error"] ?? `The service answered ${answer.status}`));
  } catch {
    complain("The service cannot be reached just now: try it again in a moment");
  } finally {
    button.disabled = false;
  }
  return null;
}

function complain(text: string): void {
  const place = byId("reason", HTMLElement);
  place.textContent = text;
  place.dataset["tone"] = "bad";
  place.hidden = false;
  tell(text);
}

function closeWhenLeft(details: HTMLDetailsElement): void {
  document.addEventListener("click", ({ target }) => {
    const isInside = target instanceof Node && details.contains(target);
    const isLink = target instanceof Element && target.closest("a") !== null;
    if (!isInside || isLink) details.open = false;
  });
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    details.open = false;
    details.querySelector("summary")?.focus();
    event.stopPropagation();
  });
}
