import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { configReader } from "../../src/config/reread.ts";
import { temporaryFolder } from "../support/access.ts";

test.each(["", " \n\t\n# nothing here\n"])(
  "a file that said something and is empty now is refused: %j",
  async (text) => {
    await using folder = await temporaryFolder();
    const file = `${folder.path}/fastlane.toml`;
    const read = configReader({ environment: {}, flags: {}, configFile: file });
    await writeFile(file, text);
    expect(read().port).toBe(10_000);
    await writeFile(file, "port = 1234");
    expect(read().port).toBe(1234);

    await writeFile(file, text);

    expect(read).toThrow(
      `${file}: the file is empty: it is written to just now, or by mistake; nothing changes`,
    );
    await writeFile(file, "port = 4321");
    expect(read().port).toBe(4321);
  },
);
