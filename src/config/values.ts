import * as v from "valibot";

/* Values that several keys have; each message goes on behind the name of its key. */

export const text = v.pipe(v.string("must be a text"), v.nonEmpty("must not be empty"));

export const truth = v.boolean("must be true or false");

export const wholeNumber = (min: number, max: number) => {
  const message = `must be a whole number from ${min} to ${max}`;
  return v.pipe(
    v.number(message),
    v.integer(message),
    v.minValue(min, message),
    v.maxValue(max, message),
  );
};

const FACTOR_WRONG = "must be a number from 1 to 100";

/** By how much a wait grows from one try to the next. */
export const factor = v.pipe(
  v.number(FACTOR_WRONG),
  v.minValue(1, FACTOR_WRONG),
  v.maxValue(100, FACTOR_WRONG),
);
