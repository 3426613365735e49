import { readAbout, subjectPath } from "./about.ts";
import { connectActions } from "./actions.ts";
import { Connection } from "./connection.ts";
import { ConnectionView } from "./connection-view.ts";
import { connectFaceButton } from "./face.ts";
import type { Frame } from "./frames.ts";
import { connectKeys } from "./keys.ts";
import { LogPane } from "./log-pane.ts";
import { StatusView } from "./status-view.ts";

/** Brings the page to life. */
export function startPage(): void {
  const about = readAbout(document.body);
  const status = new StatusView(about);
  const actions = connectActions(about);
  const pane = new LogPane();
  const state = new ConnectionView(() => connection.tryNow());

  const takeIn = (frames: readonly Frame[]) => {
    for (const frame of frames) {
      if (!("status" in frame)) continue;
      actions.show(frame.status);
      status.show(frame.status);
      pane.statusChanged(frame.status);
    }
    pane.add(frames);
  };
  const connection = new Connection({
    path: () => `${subjectPath(about)}/ws/`,
    onFrames: takeIn,
    onState: (next) => {
      state.show(next, status.current);
      if (next.name === "done") pane.isWhole();
    },
    whyOver: async () => {
      const answer = await fetch(location.pathname, { method: "HEAD" }).catch(() => null);
      if (answer?.status === 404) return "gone";
      return answer?.status === 401 || answer?.status === 403 ? "refused" : null;
    },
  });
  connectFaceButton();
  connectKeys(pane.keyActions());
  connection.tryNow();
}
