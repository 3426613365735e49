import { expect, test } from "bun:test";
import { BY_SYSTEM } from "../../src/core/audit.ts";
import { createToken, revokeToken } from "../../src/services/tokens.ts";
import { createTokenWatch, type TokenEnd } from "../../src/stream/token-watch.ts";
import { testStore } from "../support/store.ts";

/** A watch on a database of which each answer to a look can be awaited. */
async function startWatch() {
  const store = await testStore();
  let looked = Promise.withResolvers<void>();
  const db = new Proxy(store.db, {
    get(target, key) {
      if (key !== "execute") return Reflect.get(target, key);
      return async (...args: Parameters<typeof target.execute>) => {
        const rows = await target.execute(...args);
        looked.resolve();
        looked = Promise.withResolvers<void>();
        return rows;
      };
    },
  });
  return {
    db: store.db,
    watch: createTokenWatch({ db }),
    /** Another, which hears nothing. */
    deaf: createTokenWatch({ db }),
    nextLook: () => looked.promise,
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

type Started = Pick<Awaited<ReturnType<typeof startWatch>>, "watch" | "nextLook">;

/** Follows a token from after the first look at it on. */
async function follow({ watch, nextLook }: Started, id: string) {
  const { promise: ended, resolve } = Promise.withResolvers<TokenEnd>();
  const look = nextLook();
  const leave = watch.follow(id, resolve);
  await look;
  return { ended, leave };
}

test("who follows a token is told at the word of its end", async () => {
  await using started = await startWatch();
  const { id } = await createToken(started.db, { name: "a", role: "viewer" }, BY_SYSTEM);
  // It looks by itself before the other one does.
  const unheard = await follow({ ...started, watch: started.deaf }, id);
  const other = await createToken(started.db, { name: "b", role: "viewer" }, BY_SYSTEM);
  const followers = [await follow(started, id), await follow(started, id)];
  const ofOther = await follow(started, other.id);

  await revokeToken(started.db, "a", BY_SYSTEM);
  started.watch.hear({ about: "token", tokens: [id] });

  const told = Promise.all(followers.map(({ ended }) => ended));
  expect(await Promise.race([unheard.ended, told])).toEqual(["revoked", "revoked"]);
  expect(await Promise.race([ofOther.ended, "follows"])).toBe("follows");
  ofOther.leave();
});

test("who follows a token is told without a word when words may have been lost", async () => {
  await using started = await startWatch();
  const { id } = await createToken(started.db, { name: "a", role: "viewer" }, BY_SYSTEM);
  const { ended } = await follow(started, id);

  await revokeToken(started.db, "a", BY_SYSTEM);
  started.watch.lookAgain();

  expect(await ended).toBe("revoked");
});

test("a word that was lost costs a sweep", async () => {
  await using started = await startWatch();
  const { id } = await createToken(started.db, { name: "a", role: "viewer" }, BY_SYSTEM);
  const { ended } = await follow(started, id);

  await revokeToken(started.db, "a", BY_SYSTEM);

  expect(await ended).toBe("revoked");
});

test("a token that ended before it was followed is told of", async () => {
  await using started = await startWatch();
  const { id } = await createToken(started.db, { name: "a", role: "viewer" }, BY_SYSTEM);
  await revokeToken(started.db, "a", BY_SYSTEM);

  expect(await (await follow(started, id)).ended).toBe("revoked");
});
