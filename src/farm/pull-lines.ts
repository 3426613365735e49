import * as v from "valibot";
import { instantOf, type LogFrame } from "../core/log-frames.ts";

/** A pull of an image with a hundred layers has some five for each. */
const MOST_LINES = 500;

const Progress = v.object({
  id: v.optional(v.string()),
  status: v.string(),
});

/** Tells an engine's progress of a pull as lines: a layer's new status, not how far it has got. */
export interface PullLines {
  /** What is to be told of the engine's next word: nothing, mostly. */
  next(progress: unknown): LogFrame[];
  /** The last lines: what was left out, and how it ended where it failed. */
  end(failure: string | null): LogFrame[];
}

export function createPullLines(): PullLines {
  const kinds = new Map<string, string>();
  let told = 0;
  let leftOut = 0;

  return {
    next(progress) {
      const parsed = v.safeParse(Progress, progress);
      if (!parsed.success) return [];
      const { id, status } = parsed.output;
      if (id !== undefined) {
        // "Retrying in 9 seconds" is the status that "Retrying in 10 seconds" was.
        const kind = status.replace(/\d+/g, "");
        if (kinds.get(id) === kind) return [];
        kinds.set(id, kind);
      }
      // The words about the whole image come last of all, and are worth more than a layer's.
      if (id !== undefined && told >= MOST_LINES) {
        leftOut += 1;
        return [];
      }
      told += 1;
      return [lineOf(id === undefined ? status : `${id}: ${status}`)];
    },
    end(failure) {
      return [
        ...(leftOut === 0 ? [] : [lineOf(`(${leftOut} more lines about layers were left out)`)]),
        ...(failure === null ? [] : [failedLine(failure)]),
      ];
    },
  };
}

/** That a pull failed, or was given up. */
export const failedLine = (words: string) => lineOf(`Failed: ${words}`);

const encoder = new TextEncoder();

function lineOf(text: string): LogFrame {
  return { stream: "pull", at: instantOf(new Date()), data: encoder.encode(`${text}\n`) };
}
