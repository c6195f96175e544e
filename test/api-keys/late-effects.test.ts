/** What was let in and comes late: statements with effects ask once more whether the key or the session still holds. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ApiKeyEntity } from "../../src/api-keys/api-key.entity.ts";
import { createApiKey } from "../../src/api-keys/create-api-key.ts";
import { revokeApiKey } from "../../src/api-keys/revoke-api-key.ts";
import { rotateApiKey } from "../../src/api-keys/rotate-api-key.ts";
import { updateApiKey } from "../../src/api-keys/update-api-key.ts";
import { updateWorkspace } from "../../src/auth/update-workspace.ts";
import { Database } from "../../src/database/database.ts";
import { Hasher, keyCost } from "../../src/hashing.ts";
import { activeKey } from "../../src/rpc/access/active-key.ts";
import type { SessionCaller } from "../../src/rpc/access/caller.ts";
import { password, startTestApp, type TestApp } from "../support/app.ts";
import { captureLog } from "../support/log-capture.ts";

let app: TestApp;
let database: Database;
beforeAll(async () => {
  app = await startTestApp();
  database = await Database.open({
    url: app.databaseUrl,
    logger: captureLog().logger,
    entities: [ApiKeyEntity],
  });
});
afterAll(async () => {
  await database.close();
  await app[Symbol.asyncDispose]();
});

/** Changes that are made, and confirmed by nobody: what is asked here is whether they are made at all. */
const revocation = {
  revoke: <T>(
    _subjects: unknown,
    change: (transaction: Parameters<Parameters<Database["transaction"]>[0]>[0]) => Promise<T>,
  ) => database.transaction(change),
};
const keyHasher = new Hasher({ cost: keyCost, concurrency: 1, maxWaiting: 10 });
const tagKey = Buffer.alloc(32, 7);

const asOfSession = (session: string): Pick<SessionCaller, "sessionId" | "userId" | "workspaceId"> => {
  const claims = JSON.parse(Buffer.from(session.split(".")[1] ?? "", "base64url").toString());
  return { sessionId: claims.sid, userId: claims.sub, workspaceId: claims.workspace_id };
};

describe.each([
  [
    "signed out",
    (owner: { refreshToken: string }) =>
      app.rest("POST", "/auth/sign-out", { body: { refresh_token: owner.refreshToken } }),
  ],
  [
    "signed out everywhere",
    (owner: { session: string }) => app.rest("POST", "/auth/logout-all", { session: owner.session }),
  ],
  [
    "deleted with its account",
    (owner: { session: string }) =>
      app.rest("POST", "/auth/delete-account", { session: owner.session, body: { password } }),
  ],
] as const)("a session that was %s", (_how, end) => {
  test("changes nothing any more, although its call was let in before", async () => {
    const owner = await app.signUp();
    const caller: SessionCaller = { kind: "session", tier: "starter", ...asOfSession(owner.session) };
    const { workspaceId } = caller;
    const { body } = await app.rest("POST", "/api-keys", { session: owner.session, body: { name: "a key" } });
    const deps = { database, keyHasher, tagKey, revocation };
    const rename = () => updateApiKey(deps, caller, body.id, { name: "renamed" });
    const create = () => createApiKey(deps, { workspaceId, creator: caller, name: "late", mode: "live" });
    expect((await rename()).name).toBe("renamed");
    expect((await create()).name).toBe("late");

    expect((await end(owner)).status).toBe(200);
    const late = [
      create,
      rename,
      () => rotateApiKey(deps, caller, { id: body.id, graceSeconds: 0 }, async () => undefined),
      () => revokeApiKey(deps, caller, { id: body.id, reason: undefined }),
      () => updateWorkspace(deps, caller, { name: "late" }),
    ];
    for (const effect of late) {
      await expect(effect()).rejects.toMatchObject({ code: "invalid_api_key" });
    }
  });
});

describe("the row that a statement with effects needs of a key", () => {
  const isActive = async (prefix: string | null) => {
    const text = `SELECT EXISTS (${activeKey("$1")}) AS is_active`;
    const [row] = await database.query<{ is_active: boolean }>({ name: "is_key_active", text }, [prefix]);
    return row?.is_active;
  };
  const mint = async (session: string, input: Record<string, unknown> = {}) =>
    (await app.rest("POST", "/api-keys", { session, body: { name: "a key", ...input } })).body;

  test("is there while the key is in use, and for the server itself", async () => {
    const { session } = await app.signUp();
    expect(await isActive((await mint(session)).key_prefix)).toBe(true);
    expect(await isActive(null)).toBe(true);
    expect(await isActive("pk_live_nobody")).toBe(false);
  });

  test("is gone once it is revoked, rotated, or its account is deleted", async () => {
    const { session } = await app.signUp();
    const [revoked, rotated, orphaned] = [await mint(session), await mint(session), await mint(session)];
    await app.rest("DELETE", `/api-keys/${revoked.id}`, { session });
    const { body } = await app.rest("POST", `/api-keys/${rotated.id}/rotate`, { session, body: {} });
    expect(await isActive(revoked.key_prefix)).toBe(false);
    expect([await isActive(rotated.key_prefix), await isActive(body.key_prefix)]).toEqual([false, true]);
    await app.rest("POST", "/auth/delete-account", { session, body: { password } });
    expect(await isActive(orphaned.key_prefix)).toBe(false);
  });

  test("is there for as long as the expiry and the grace last", async () => {
    const { session } = await app.signUp();
    const expiring = await mint(session, { expires_at: new Date(app.time.now().getTime() + 60_000).toISOString() });
    const rotated = await mint(session);
    await app.rest("POST", `/api-keys/${rotated.id}/rotate`, { session, body: { grace_seconds: 60 } });
    expect([await isActive(expiring.key_prefix), await isActive(rotated.key_prefix)]).toEqual([true, true]);
    await app.time.advance({ seconds: 62 });
    expect([await isActive(expiring.key_prefix), await isActive(rotated.key_prefix)]).toEqual([false, false]);
  });
});
