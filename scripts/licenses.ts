// Makes build/THIRD-PARTY-LICENSES.txt, the licences of all that the binaries bring;
// `bun scripts/licenses.ts FILE` writes them elsewhere.
import { resolve } from "node:path";
import { ROOT } from "./parts/bundle.ts";
import { licensesText } from "./parts/components.ts";

const [file = `${ROOT}/build/THIRD-PARTY-LICENSES.txt`] = process.argv.slice(2);
await Bun.write(resolve(file), await licensesText());
