// Writes what the Debian package has beside the binary, as fastlane would print it:
// `bun scripts/debian-texts.ts FOLDER SECONDS`. The binary itself may be one for another machine.
import { join } from "node:path";
import { version } from "../package.json" with { type: "json" };
import { completionScript } from "../src/cli/completion.ts";
import { createProgram } from "../src/cli/program.ts";
import { serviceUnit, socketUnit } from "../src/cli/systemd-units.ts";
import { defaultFile } from "../src/config/default-file.ts";
import { CREDENTIALS } from "../src/config/sources.ts";
import { manPage } from "./man-page.ts";

const [folder = ".", date = "0"] = process.argv.slice(2);
const program = createProgram({ environment: {}, version });

const texts = {
  "etc/fastlane/fastlane.toml": defaultFile(),
  "usr/lib/systemd/system/fastlane.service": serviceUnit({
    service: "up",
    binary: "/usr/bin/fastlane",
    config: null,
    user: "fastlane",
    // Whether it may use Docker's socket is for the administrator to say: postinst tells how.
    dockerGroup: null,
    credentials: CREDENTIALS,
  }),
  "usr/lib/systemd/system/fastlane.socket": socketUnit({
    service: "up",
    listen: "127.0.0.1:10000",
  }),
  "usr/share/bash-completion/completions/fastlane": completionScript(program, "bash"),
  "usr/share/zsh/vendor-completions/_fastlane": completionScript(program, "zsh"),
  "usr/share/fish/vendor_completions.d/fastlane.fish": completionScript(program, "fish"),
  "usr/share/man/man1/fastlane.1": manPage(Number(date)),
};
for (const [path, text] of Object.entries(texts)) await Bun.write(join(folder, path), text);
