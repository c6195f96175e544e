/** What a start asks of PostgreSQL, with and without prices. */
import pg from "pg";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { TestApp } from "../../support/app.ts";
import { openWorkspace, pricedConfig, usePricedApp } from "./balance-fixture.ts";

const app = usePricedApp();
let free: TestApp;
beforeAll(async () => {
  free = await app.startAnother({ ...pricedConfig, prices: undefined });
});
afterAll(() => free[Symbol.asyncDispose]());

let recipients = 0;

/** The statements about the workspace that were sent before the start was answered, but those of the message's delivery. */
async function statementsOfStart(on: TestApp, key: string, workspaceId: string) {
  const query = vi.spyOn(pg.Client.prototype, "query");
  try {
    const body = { channel: "email", recipient: `ada-${++recipients}@example.com` };
    expect((await on.rest("POST", "/verify/start", { key, body })).status).toBe(201);
    return query.mock.calls
      .map(
        ([config]) => Object(config) as { readonly name?: string; readonly text?: string; readonly values?: unknown },
      )
      .filter(({ values }) => JSON.stringify(values ?? "").includes(workspaceId))
      .map(({ name = "", text = "" }) => ({ name, text }))
      .filter(({ name, text }) => !name.startsWith("outbox_") && !text.includes("message_template"));
  } finally {
    query.mockRestore();
  }
}

test("a start is one statement, and without prices there is nothing of charges in it", async () => {
  const { key, workspaceId } = await openWorkspace(app, 1_000);
  for (const [server, isPriced] of [
    [free, false],
    [app, true],
  ] as const) {
    // The first one reads settings and takes a reserve.
    await statementsOfStart(server, key, workspaceId);
    app.time.advance({ seconds: 1 });
    const statements = await statementsOfStart(server, key, workspaceId);
    expect(statements).toHaveLength(1);
    const [{ name, text } = { name: "", text: "" }] = statements;
    expect(text).toContain("INSERT INTO verification");
    expect([/charge/.test(name), /charge|spend_|ledger|wallet/.test(text)]).toEqual([isPriced, isPriced]);
    expect(text).not.toContain("usage");
  }
});
