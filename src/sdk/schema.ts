import type { ExtractSchema } from "hono/types";
import type { auditRoutes } from "../http/audit-routes.ts";
import type { deliveryRoutes } from "../http/delivery-routes.ts";
import type { enqueueRoutes } from "../http/enqueue-routes.ts";
import type { eventRoutes } from "../http/event-routes.ts";
import type { executionRoutes } from "../http/execution-routes.ts";
import type { hostRoutes } from "../http/host-routes.ts";
import type { jobRoutes } from "../http/job-routes.ts";
import type { manyRoutes } from "../http/many-routes.ts";
import type { serviceRoutes } from "../http/service-routes.ts";
import type { taskRoutes } from "../http/task-routes.ts";
import type { tokenRoutes } from "../http/token-routes.ts";

/** Written out, with no name of a type of ours left. */
type Plain<Type> = Type extends string | number | boolean | null | undefined
  ? Type
  : Type extends object
    ? { [Key in keyof Type]: Plain<Type[Key]> }
    : Type;

type Routes = (deps: never) => unknown;

function plain<Of extends Routes>() {
  return null as unknown as Plain<ExtractSchema<ReturnType<Of>>>;
}

// scripts/build-client.ts has the compiler write out the types of these; there is no value behind them.
export const enqueue = plain<typeof enqueueRoutes>();
export const tasks = plain<typeof taskRoutes>();
export const jobs = plain<typeof jobRoutes>();
export const executions = plain<typeof executionRoutes>();
export const events = plain<typeof eventRoutes>();
export const deliveries = plain<typeof deliveryRoutes>();
export const many = plain<typeof manyRoutes>();
export const hosts = plain<typeof hostRoutes>();
export const audit = plain<typeof auditRoutes>();
export const tokens = plain<typeof tokenRoutes>();
export const service = plain<typeof serviceRoutes>();
