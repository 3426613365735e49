import type { Schema } from "./schemas.ts";

export interface Parameter {
  /** Where another parameter has this one's key. */
  name?: string;
  in: "path" | "query" | "header";
  description: string;
  /** Absent for those of a path, which always are. */
  required?: true;
  schema: Schema;
  example: string | number | boolean;
}

export const moment: Schema = { type: "string", minLength: 1, maxLength: 64 };

export const wholeNumber = (minimum: number, maximum: number): Schema => ({
  type: "integer",
  minimum,
  maximum,
});
