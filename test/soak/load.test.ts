import { expect, test } from "bun:test";
import { planLoad } from "./load.ts";

test("a seed gives the same load again, and another one another", () => {
  expect(planLoad(7, 50, 60_000)).toEqual(planLoad(7, 50, 60_000));
  expect(planLoad(8, 50, 60_000)).not.toEqual(planLoad(7, 50, 60_000));
});

test("fewer executions of a seed are some of the same", () => {
  const few = planLoad(7, 20, 60_000);

  expect(planLoad(7, 60, 60_000)).toEqual(expect.arrayContaining(few));
});
