import { and, inArray, sql } from "drizzle-orm";
import type { Db, Tx } from "./connect.ts";
import { holdLease, type Lease } from "./hosts.ts";
import { hostImages } from "./schema.ts";

/** Writes which images are at hand on a host; nothing when that is known. */
export async function recordImages(db: Db, lease: Lease, images: readonly string[]): Promise<void> {
  const seen = sql`(SELECT jsonb_array_elements_text(${JSON.stringify(images)}::jsonb))`;
  await db.transaction(async (tx) => {
    await holdLease(tx, lease);
    await tx.execute(sql`
      DELETE FROM fastlane.host_images WHERE host = ${lease.host} AND image NOT IN ${seen}`);
    await tx.execute(sql`
      INSERT INTO fastlane.host_images (host, image)
      SELECT DISTINCT ${lease.host}, x FROM ${seen} AS seen (x)
      ON CONFLICT DO NOTHING`);
  });
}

/** @returns Those of the images that are at hand, by host; a host without one of them is left out. */
export async function imagesAtHand(
  tx: Tx,
  names: readonly string[],
  images: readonly string[],
): Promise<Map<string, Set<string>>> {
  const found = new Map<string, Set<string>>();
  if (images.length === 0 || names.length === 0) return found;
  const rows = await tx
    .select()
    .from(hostImages)
    .where(and(inArray(hostImages.host, [...names]), inArray(hostImages.image, [...images])));
  for (const { host, image } of rows) found.set(host, (found.get(host) ?? new Set()).add(image));
  return found;
}
