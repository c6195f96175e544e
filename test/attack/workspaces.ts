/** Workspaces that have one of everything in each mode, for tests that try to reach it from elsewhere. */
import { expect, vi } from "vitest";
import type { Mode } from "../../src/access/caller.ts";
import { query } from "../capabilities/balance/balance-fixture.ts";
import { blockRange } from "../capabilities/guard/guard-calls.ts";
import { markUndeliverable } from "../capabilities/suppressions/mark-undeliverable.ts";
import { password, type RestCall, type SignedUp, type TestApp } from "../support/app.ts";
import { verifyEmailOf } from "../support/verified-email.ts";

/** What one mode of a workspace has, and who may call for it. */
export interface Side {
  readonly name: string;
  readonly account: SignedUp;
  readonly mode: Mode;
  /** With every scope. */
  readonly key: string;
  /** The session's headers for this mode. */
  readonly as: RestCall;
  /** By the prefix of their ids, and `recipient`. */
  readonly objects: Readonly<Record<string, readonly string[]>>;
  /** Tokens of the second page, by the name of the RPC that lists. */
  readonly pages: Readonly<Record<string, string>>;
}

const waiting = { timeout: 20_000, interval: 20 };

/** Fills both modes of a new workspace. `receiver` is a URL that takes its webhooks. */
export async function openSides(app: TestApp, name: string, receiver: string): Promise<[live: Side, test: Side]> {
  const account = await app.signUp(name);
  await verifyEmailOf(app.databaseUrl, account.workspaceId);
  const { session } = account;
  for (const reference of ["first", "second"]) {
    await query(app.databaseUrl, "SELECT balance_top_up($1, $2, 1000)", [account.workspaceId, reference]);
  }
  expect((await app.rest("PATCH", "/workspace", { session, body: { lookup_history: true } })).status).toBe(200);
  const live = await fill(app, `${name}, live`, account, "live", receiver);
  const sandbox = await fill(app, `${name}, sandbox`, account, "test", receiver);
  return [live, sandbox];
}

async function fill(app: TestApp, name: string, account: SignedUp, mode: Mode, receiver: string): Promise<Side> {
  const as: RestCall = { session: account.session, headers: { "Byond-Mode": mode } };
  const done = async (method: string, path: string, call: RestCall) => {
    const { status, body } = await app.rest(method, path, call);
    expect(status, `${method} ${path}: ${JSON.stringify(body)}`).toBeLessThan(300);
    return body;
  };
  const mint = (keyName: string) =>
    done("POST", "/api-keys", { ...as, body: { name: keyName, mode, scopes: ["*"] } }) as Promise<{
      id: string;
      key: string;
    }>;
  const { id: keyId, key } = await mint("caller");
  const other = await mint("object");
  const webhook = await done("POST", "/webhooks", { ...as, body: { url: receiver } });
  const recipient = `${mode}-${account.email}`;
  const start = async (to: string): Promise<string> =>
    (await done("POST", "/verify/start", { key, body: { channel: "email", recipient: to } })).verification_id;
  const verifications = [await start(recipient), await start(recipient)];
  for (const number of [1, 2]) {
    const suppressed = await start(`gone-${number}-${recipient}`);
    await vi.waitFor(async () => {
      const { body } = await app.rest("GET", `/verify/${suppressed}`, { key });
      expect(body.deliveries?.[0]?.status).toBe("sent");
    }, waiting);
    await markUndeliverable(app.databaseUrl, suppressed);
    await done("GET", `/lookup?number=${encodeURIComponent(recipient)}`, { key });
  }
  const safe = await done("POST", "/guard/safe-list", { ...as, body: { number: "+65912x" } });
  await done("PUT", "/templates/email/en", { ...as, body: { subject: "Your {{brand}} code", text: "{{code}}" } });
  const listed = (path: string, member: string, count: number): Promise<readonly string[]> =>
    vi.waitFor(async () => {
      const { body } = await app.rest("GET", path, as);
      const ids: string[] = (body[member] ?? []).map((one: Record<string, string>) => one.id ?? Object.values(one)[0]);
      expect(ids.length, `${path}: ${JSON.stringify(body)}`).toBeGreaterThanOrEqual(count);
      return ids;
    }, waiting);
  const objects = {
    key: [other.id],
    caller: [keyId],
    whk: [webhook.id],
    vrf: [verifications[0] ?? ""],
    recipient: [recipient, `gone-1-${recipient}`],
    gsl: [safe.id],
    sup: (await listed("/suppressions", "suppressions", 2)).slice(0, 1),
    lkp: (await listed("/lookups", "lookups", 2)).slice(0, 1),
    evt: (await listed("/events", "events", 2)).slice(-1),
    dlv: (await listed(`/webhooks/${webhook.id}/deliveries`, "deliveries", 2)).slice(0, 1),
    ...(mode === "test" ? {} : await onlyLive(app, account, recipient, done)),
  };
  const pageOf = async (path: string): Promise<string> => {
    const { next_page_token: token } = await done("GET", `${path}page_size=1`, as);
    expect(token, path).toEqual(expect.any(String));
    return token;
  };
  const exported = `/recipients/export?recipient=${encodeURIComponent(recipient)}&page_size=1`;
  const pages = {
    ListApiKeys: await pageOf("/api-keys?"),
    ListBalanceEntries: await pageOf("/balance/entries?"),
    ListEvents: await pageOf("/events?"),
    ListLookups: await pageOf("/lookups?"),
    ListSuppressions: await pageOf("/suppressions?"),
    ListVerifications: await pageOf("/verifications?"),
    ListWebhookDeliveries: await pageOf(`/webhooks/${webhook.id}/deliveries?`),
    ExportRecipient: (await done("GET", exported, { key })).next_page_token,
  };
  return { name, account, mode, key, as, objects, pages };
}

/** What there is of the live mode alone. */
async function onlyLive(
  app: TestApp,
  { session, workspaceId, email }: SignedUp,
  recipient: string,
  // biome-ignore lint/suspicious/noExplicitAny: answers of which the test says itself what it expects
  done: (method: string, path: string, call: RestCall) => Promise<any>,
) {
  const fixed = await done("POST", "/fixed-codes", { session, body: { recipient: `fixed-${recipient}`, password } });
  const reset = await done("POST", "/auth/reset-password", { body: { email } });
  return {
    fix: [fixed.id],
    gbl: [await blockRange(app, workspaceId, "+2348031x")],
    reset: [reset.reset_id],
  };
}

/** Waits until nothing is under way in the database: no event without its number, no message that waits. */
export async function settle(app: TestApp): Promise<void> {
  await vi.waitFor(async () => {
    const [row] = await query<{ count: number }>(
      app.databaseUrl,
      `SELECT (SELECT count(*) FROM event_pending)::int + (SELECT count(*) FROM outbox WHERE status = 'pending')::int AS count`,
    );
    expect(row?.count).toBe(0);
  }, waiting);
}

/** Counts that servers write down later, and what they keep of themselves. */
const countedLater = [
  "quota",
  "request_hour",
  "verification_hour",
  "verification_slot",
  "verification_refund",
  "usage_day",
  "server",
  "outbox_lane",
  "revocation",
];

/** Every row that holds one of the texts, by table, and the time of its last use left out, which servers write down later, too. */
export async function rowsWith(app: TestApp, texts: readonly string[]): Promise<readonly string[]> {
  const tables = await query<{ name: string }>(
    app.databaseUrl,
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'",
  );
  const selects = tables
    .filter(({ name }) => !countedLater.includes(name))
    .map(({ name }) => `SELECT '${name} ' || (to_jsonb(t) - 'last_used_at')::text AS row FROM "${name}" AS t`);
  const rows = await query<{ row: string }>(app.databaseUrl, selects.join(" UNION ALL "));
  return rows
    .map(({ row }) => row)
    .filter((row) => texts.some((text) => row.includes(text)))
    .toSorted();
}
