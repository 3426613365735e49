import type { Command } from "commander";
import licenses from "../../build/THIRD-PARTY-LICENSES.txt" with { type: "text" };
import { print } from "./screen.ts";

export function addLicensesCommand(program: Command): void {
  program
    .command("licenses")
    .description("print the licences of all that this program brings")
    .action(async () => {
      await print(licenses);
    });
}
