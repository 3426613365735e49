import { expect, test } from "bun:test";
import { createStatusLine } from "../../src/terminal/status-line.ts";

test("a question stands at the beginning of its line, over the ^C that the terminal has shown", () => {
  let shown = "^C";
  const out = { isTTY: true, columns: 20, write: (text: string) => (shown += text) };
  const status = createStatusLine(out, true);

  status.ask("Stop it?");

  expect(shown).toBe("^C\r\u001b[2KStop it?");
});

test("a terminal that nobody told its width shows the line whole", () => {
  let shown = "";
  const out = { isTTY: true, columns: 0, write: (text: string) => (shown += text) };

  createStatusLine(out, true).show("Pulling");

  expect(shown).toBe("Pulling");
});
