import type { Event } from "../core/events.ts";
import type { Tx } from "../store/connect.ts";
import { insertDeliveries } from "../store/deliveries.ts";
import { notify } from "../store/notify.ts";

/** Has those told of events who are to be, if the transaction commits: once each, however often it is asked. */
export async function tell(
  tx: Tx,
  events: readonly { executionId: string; event: Event }[],
): Promise<void> {
  if ((await insertDeliveries(tx, events)) > 0) await notify(tx, { about: "delivery" });
}
