import * as v from "valibot";
import { FAILURE_CAUSES, STATUSES } from "../core/status.ts";

/*
 * What the API answers with, as schemas: the views are typed by them, the OpenAPI document is made
 * from them, and the tests hold answers against them. Here are the parts that several share.
 */

export const Url = v.pipe(v.string(), v.url());
export const Uuid = v.pipe(v.string(), v.uuid());
export const Time = v.pipe(
  v.string(),
  v.isoTimestamp(),
  v.description("ISO 8601, UTC, with milliseconds"),
);
export const Count = v.pipe(v.number(), v.integer(), v.minValue(0));

export const StatusName = v.picklist(STATUSES);
export const Cause = v.nullable(v.picklist(FAILURE_CAUSES));
export const Words = v.record(v.string(), v.string());

export const TaskRef = v.strictObject({ id: v.string(), url: Url });
export const JobRef = v.strictObject({ id: Uuid, url: Url });
export const ExecutionRef = v.strictObject({ id: Uuid, url: Url });

export const Paging = {
  hasNext: v.boolean(),
  hasPrev: v.boolean(),
  nextUrl: v.nullable(Url),
  page: Count,
  pages: Count,
  perPage: Count,
  prevUrl: v.nullable(Url),
  total: Count,
};

export const Where = {
  container_id: v.nullable(v.string()),
  docker_host: v.nullable(v.string()),
  docker_port: v.nullable(Count),
};
