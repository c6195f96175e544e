/** What is left of what a workspace spent and used, once it is deleted. */
import { describe, expect, test, vi } from "vitest";
import { password, useTestApp } from "../../support/app.ts";
import { protocols } from "../../support/protocols.ts";
import { openWorkspace, pricedConfig, query } from "./balance-fixture.ts";

const app = useTestApp(pricedConfig, { sweepIntervalMs: 200 });

const tables = ["wallet", "ledger_entry", "spend_period", "spend_cap", "usage_day", "verification_slot"];

const rowsOf = async (workspaceId: string) => {
  const counts = tables.map((table) => `(SELECT count(*) FROM ${table} WHERE workspace_id = $1)::integer AS ${table}`);
  const [row] = await query<Record<string, number>>(app.databaseUrl, `SELECT ${counts.join(", ")}`, [workspaceId]);
  return row;
};

describe.each(protocols)("over $name", (protocol) => {
  test("with the workspace go its balance, its entries and caps, its usage and its reports", async () => {
    const { key, session, workspaceId } = await openWorkspace(app, 100);
    const recipient = `${protocol.name}@deleted.example`;
    const start = { channel: "email", recipient };
    const cap = { owner: "workspace", amount: "1", period: "day" };
    expect((await protocol.call(app, "SetSpendCap", cap, { session })).code).toBe("ok");
    expect((await protocol.call(app, "StartVerification", start, { key })).code).toBe("ok");
    await vi.waitFor(
      async () => expect(Object.values((await rowsOf(workspaceId)) ?? {}).every((count) => count > 0)).toBe(true),
      { timeout: 20_000 },
    );
    const remove = async (input: { readonly password: string }) =>
      protocol.name === "REST"
        ? (await app.rest("DELETE", "/workspace", { session, body: input })).status === 200
        : (await protocol.call(app, "DeleteAccount", input, { session })).code === "ok";
    expect(await remove({ password: "not this one" })).toBe(false);
    expect(await remove({ password })).toBe(true);
    await app.time.advance({ seconds: 11 * 60 });
    const nothing = Object.fromEntries(tables.map((table) => [table, 0]));
    await vi.waitFor(async () => expect(await rowsOf(workspaceId)).toEqual(nothing), { timeout: 20_000 });
  });
});
