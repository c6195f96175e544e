/** Messages whose verification ends while they wait or are being sent: what was sent is paid and counted, and nothing else. */
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { parseConfig } from "../../../src/app.ts";
import { protocols } from "../../support/protocols.ts";
import { HttpFake } from "../channels/http-fake.ts";
import { accountsOf, openWorkspace, type PricedWorkspace, query, usePricedApp } from "./balance-fixture.ts";

/** Messages that the server sends at once. */
const places = 20;
const gateway = await HttpFake.open();
const urls = { SMS_URL: gateway.url, PROVIDER_SECRET: "x".repeat(32) };
const app = usePricedApp({ delivery: parseConfig(urls).delivery });
afterAll(() => gateway.close());
let numbers = 0;
const newNumber = () => `+658${String(1_000_000 + ++numbers).padStart(7, "0")}`;

describe.each(protocols)("over $name", (protocol) => {
  let workspace: PricedWorkspace;
  const call = (rpc: Parameters<typeof protocol.call>[1], input: object = {}) =>
    protocol.call(app, rpc, { ...input }, { key: workspace.key });
  const manage = (rpc: Parameters<typeof protocol.call>[1], input: object = {}) =>
    protocol.call(app, rpc, { ...input }, { session: workspace.session });
  const startMany = (count: number): Promise<string[]> =>
    Promise.all(
      Array.from({ length: count }, async () => {
        const { body } = await call("StartVerification", { channel: "sms", recipient: newNumber() });
        return body.verification_id;
      }),
    );
  const cancelAll = (ids: readonly string[]) =>
    Promise.all(ids.map((verification_id) => call("CancelVerification", { verification_id })));
  let letGo = () => {};
  const hold = () => {
    const held = Promise.withResolvers<void>();
    gateway.held = held.promise;
    letGo = () => held.resolve();
  };
  const sent = async () =>
    (
      await query<{ sent: number }>(
        app.databaseUrl,
        "SELECT coalesce(sum(number), 0)::integer AS sent FROM usage_day WHERE workspace_id = $1 AND channel = 'sms'",
        [workspace.workspaceId],
      )
    )[0]?.sent;
  const spentOnce = (messages: number) =>
    vi.waitFor(
      async () => {
        expect((await manage("GetBalance")).body.amount).toBe((10 - messages * 0.08).toFixed(2));
        expect(await sent()).toBe(messages);
      },
      { timeout: 20_000 },
    );
  afterEach(() => letGo());
  beforeEach(async () => {
    gateway.held = undefined;
    gateway.requests.length = 0;
    gateway.answer = { status: 200 };
    await app.time.advance({ seconds: 60 });
    workspace = await openWorkspace(app, 1_000);
  });

  test.each([0, 6, 11])("what waited for a place is given back, after %i s", async (seconds) => {
    hold();
    const ids = await startMany(places + 10);
    await vi.waitFor(() => expect(gateway.requests).toHaveLength(places), { timeout: 20_000 });
    await cancelAll(ids);
    await app.time.advance({ seconds });
    letGo();
    await spentOnce(places);
    await accountsOf(app.databaseUrl, workspace.workspaceId);
  });

  test("what waited is given back once, whatever is asked at the same time", async () => {
    hold();
    const ids = await startMany(places + 5);
    letGo();
    await cancelAll(ids);
    await vi.waitFor(
      async () => {
        const [row] = await query<{ left: number }>(
          app.databaseUrl,
          "SELECT count(*)::integer AS left FROM outbox WHERE workspace_id = $1 AND claimed_by IS NOT NULL AND status = 'expired'",
          [workspace.workspaceId],
        );
        const kept = Math.round((10 - Number((await manage("GetBalance")).body.amount)) / 0.08);
        expect(await sent()).toBe(kept);
        expect(row?.left).toBeLessThanOrEqual(kept);
      },
      { timeout: 20_000 },
    );
  });

  test("what a provider refuses after the verification has ended is given back, and what it takes is counted", async () => {
    hold();
    const ids = await startMany(3);
    await vi.waitFor(() => expect(gateway.requests).toHaveLength(3), { timeout: 20_000 });
    await cancelAll(ids);
    expect((await manage("GetBalance")).body.amount).toBe("9.76");
    gateway.answer = { status: 422 };
    letGo();
    await spentOnce(0);
  });

  test("a resend that waits when the code is approved is given back", async () => {
    hold();
    const id = (await startMany(places)).at(-1);
    await vi.waitFor(() => expect(gateway.requests).toHaveLength(places), { timeout: 20_000 });
    await app.time.advance({ seconds: 60 });
    expect((await call("ResendCode", { verification_id: id })).code).toBe("ok");
    const recipient = `+658${String(1_000_000 + numbers).padStart(7, "0")}`;
    const messages: { recipient: string; code: string }[] = gateway.requests.map(({ body }) => JSON.parse(body));
    const code = messages.find((message) => message.recipient === recipient)?.code;
    expect((await call("CheckVerification", { verification_id: id, code })).body.status).toBe("approved");
    letGo();
    await spentOnce(places);
  });
});
