import { startApp as startAppHere } from "../../src/app.ts";
import { startNodeApp } from "./node-apps.ts";

/** Whether the apps of the tests run in Node, as scripts/test has it in a pass of its own. */
export const IS_ON_NODE = process.env["FASTLANE_TEST_NODE"] === "1";

export const startApp = IS_ON_NODE ? startNodeApp : startAppHere;
