/** Money is refused when it is spent, and not because a server has set it aside for something else. */
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { parseConfig } from "../../../src/app.ts";
import { protocols } from "../../support/protocols.ts";
import { HttpFake } from "../channels/http-fake.ts";
import { accountsOf, openWorkspace, type PricedWorkspace, query, usePricedApp } from "./balance-fixture.ts";

const gateway = await HttpFake.open();
const urls = { SMS_URL: gateway.url, VOICE_URL: gateway.url, PROVIDER_SECRET: "x".repeat(32) };
const app = usePricedApp({ delivery: parseConfig(urls).delivery });
afterAll(() => gateway.close());
let numbers = 0;
const newNumber = () => `+659${String(1_000_000 + ++numbers).padStart(7, "0")}`;

describe.each(protocols)("over $name", (protocol) => {
  let workspace: PricedWorkspace;
  const open = async (cents: number) => {
    workspace = await openWorkspace(app, cents);
  };
  const start = (channel: "sms" | "voice", key = workspace.key) =>
    protocol.call(app, "StartVerification", { channel, recipient: newNumber() }, { key });
  const manage = (rpc: Parameters<typeof protocol.call>[1], input: object = {}) =>
    protocol.call(app, rpc, { ...input }, { session: workspace.session });
  const newKeys = (count: number): Promise<{ key: string; id: string }[]> =>
    Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const { body } = await app.rest("POST", "/api-keys", {
          session: workspace.session,
          body: { name: `key ${index}` },
        });
        return body;
      }),
    );
  const codesOf = (answers: readonly { readonly code: string }[]) => answers.map(({ code }) => code);
  beforeEach(() => app.time.advance({ seconds: 60 }));

  test("what costs less is not refused because something expensive is refused at the same time", async () => {
    await open(17);
    const answers = await Promise.all([start("voice"), start("sms"), start("sms"), start("voice")]);
    expect(codesOf(answers)).toEqual(["insufficient_balance", "ok", "ok", "insufficient_balance"]);
    expect((await manage("GetBalance")).body.amount).toBe("0.01");
  });

  test("the same holds for a cap, and for lookups beside sends", async () => {
    await open(1_000);
    await manage("SetSpendCap", { owner: workspace.keyId, amount: "0.17", period: "day" });
    const lookup = (count: number) =>
      protocol.call(
        app,
        "BatchLookup",
        { numbers: Array.from({ length: count }, () => ({ number: "+6591234567" })) },
        { key: workspace.key },
      );
    const answers = await Promise.all([lookup(10), start("voice"), start("sms"), lookup(4)]);
    expect(codesOf(answers)).toEqual(["spend_cap_reached", "spend_cap_reached", "ok", "ok"]);
  });

  test("keys of one server can spend all of the balance, whatever is set aside for others", async () => {
    await open(100);
    const keys = await newKeys(12);
    const answers = [];
    for (const { key } of keys) {
      answers.push(await start("sms", key));
    }
    expect(codesOf(answers)).toEqual(Array.from({ length: 12 }, () => "ok"));
    const refused = await start("sms");
    expect(refused).toMatchObject({
      code: "insufficient_balance",
      body: { message: "This costs 0.08 EUR, and 0.04 EUR are left." },
    });
    expect((await manage("GetBalance")).body.amount).toBe("0.04");
    await accountsOf(app.databaseUrl, workspace.workspaceId);
  });

  test("keys that start at once can spend all of the balance", async () => {
    await open(100);
    const keys = await newKeys(7);
    const answers = await Promise.all([...keys, ...keys].map(({ key }) => start("sms", key)));
    expect(codesOf(answers).filter((code) => code === "ok")).toHaveLength(12);
    expect(codesOf(answers).filter((code) => code === "insufficient_balance")).toHaveLength(2);
    expect((await manage("GetBalance")).body.amount).toBe("0.04");
  });

  test("keys of one server can spend all of their workspace's cap, and `spent` is what was spent", async () => {
    await open(10_000);
    await manage("SetSpendCap", { owner: "workspace", amount: "1.00", period: "day" });
    const keys = await newKeys(12);
    const answers = [];
    for (const { key } of keys.slice(0, 11)) {
      answers.push(await start("sms", key));
      const [cap] = (await manage("ListSpendCaps")).body.spend_caps;
      expect(cap.spent).toBe((answers.length * 0.08).toFixed(2));
    }
    answers.push(await start("sms", keys[11]?.key));
    expect(codesOf(answers)).toEqual(Array.from({ length: 12 }, () => "ok"));
    const refused = await start("sms");
    expect(refused).toMatchObject({
      code: "spend_cap_reached",
      body: {
        message: "This costs 0.08 EUR. Of what the workspace may spend, 0.04 EUR are left.",
        spent: "0.96",
      },
    });
  });

  test("what another server has set aside is said, and is not `spent`", async () => {
    await open(10_000);
    await manage("SetSpendCap", { owner: "workspace", amount: "0.30", period: "day" });
    const elsewhere = (cents: number) =>
      query(app.databaseUrl, "SELECT outcome FROM spend_take_reserve($1, '', $2, 'srv_other', $3, $3, $3, 30000)", [
        workspace.workspaceId,
        `rsv_${protocol.name}_${cents}`,
        cents,
      ]);
    expect(await elsewhere(18)).toEqual([{ outcome: "taken" }]);
    expect((await start("sms")).code).toBe("ok");
    expect((await start("sms")).body).toMatchObject({
      message:
        "This costs 0.08 EUR. Of what the workspace may spend, 0.22 EUR are left, of which servers have set 0.18 EUR aside for other calls.",
      spent: "0.08",
    });
    await manage("DeleteSpendCap", { owner: "workspace" });
    expect(await elsewhere(9_970)).toEqual([{ outcome: "taken" }]);
    expect((await start("sms")).body.message).toBe(
      "This costs 0.08 EUR, and 99.92 EUR are left, of which servers have set 99.88 EUR aside for other calls.",
    );
  });

  test("a cap of a key that is revoked is not listed", async () => {
    await open(100);
    const [key] = await newKeys(1);
    await manage("SetSpendCap", { owner: key?.id, amount: "1", period: "day" });
    expect((await manage("ListSpendCaps")).body.spend_caps).toHaveLength(1);
    await app.rest("DELETE", `/api-keys/${key?.id}`, { session: workspace.session });
    expect((await manage("ListSpendCaps")).body.spend_caps).toEqual([]);
  });
});
