import pg from "pg";
import { expect } from "vitest";
import type { Prices } from "../../../src/capabilities/balance/prices.ts";
import { type TestApp, useTestApp } from "../../support/app.ts";
import { limitsOf } from "../../support/limit-settings.ts";
import { verifyEmailOf } from "../../support/verified-email.ts";

/** In hundredths of a euro. WhatsApp costs nothing. */
export const prices: Prices = {
  currency: "EUR",
  digits: 2,
  messages: { sms: { default: 9, DE: 7, SG: 8 }, voice: { default: 20 }, email: { default: 1 } },
  lookup: 2,
};

/** Nothing costs anything, and workspaces have a balance. */
export const freePrices: Prices = { currency: "EUR", digits: 6, messages: {}, lookup: 0 };

/** What the sandbox of tests can send costs something. */
export const testPrices: Prices = {
  currency: "EUR",
  digits: 2,
  messages: { email: { default: 1 }, whatsapp: { default: 1 } },
  lookup: 1,
};

export const pricedConfig = {
  prices,
  ...limitsOf({ DEFAULT_TIER: "unlimited", SIGN_UP_LIMIT: "100000" }),
};

/** A server with prices, whose messages go to its inbox. */
export const usePricedApp = (
  changes: Parameters<typeof useTestApp>[0] = {},
  options?: Parameters<typeof useTestApp>[1],
): TestApp => useTestApp({ ...pricedConfig, ...changes }, options);

/** A workspace with money, and a key of it. */
export interface PricedWorkspace {
  readonly email: string;
  readonly session: string;
  readonly workspaceId: string;
  readonly key: string;
  readonly keyId: string;
}

export async function openWorkspace(app: TestApp, cents: number): Promise<PricedWorkspace> {
  const { session, workspaceId, email } = await app.signUp();
  await verifyEmailOf(app.databaseUrl, workspaceId);
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "a key" } });
  if (cents > 0) {
    await topUp(app.databaseUrl, workspaceId, cents);
  }
  return { email, session, workspaceId, key: body.key, keyId: body.id };
}

export async function topUp(databaseUrl: string, workspaceId: string, amount: number): Promise<void> {
  await query(databaseUrl, "SELECT balance_top_up($1, 'first payment', $2)", [workspaceId, amount]);
}

export async function query<Row extends object>(
  databaseUrl: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

/** What the entries of a workspace say of each account, and what was believed of the wallet. */
export async function accountsOf(databaseUrl: string, workspaceId: string): Promise<Readonly<Record<string, number>>> {
  const [row] = await query<{ accounts: Record<string, number>; wallet: number; uncounted: number }>(
    databaseUrl,
    `SELECT
      (
        SELECT json_object_agg(account, sum) FROM (
          SELECT account, sum(amount) AS sum FROM (
            SELECT credit AS account, amount FROM ledger_entry WHERE workspace_id = $1
            UNION ALL SELECT debit, -amount FROM ledger_entry WHERE workspace_id = $1
          ) AS posting GROUP BY account
        ) AS sums
      ) AS accounts,
      coalesce((SELECT balance FROM wallet WHERE workspace_id = $1), 0)::float8 AS wallet,
      coalesce((SELECT sum(amount) FROM ledger_entry WHERE workspace_id = $1 AND NOT is_counted), 0)::float8 AS uncounted`,
    [workspaceId],
  );
  const accounts = { funding: 0, wallet: 0, reserve: 0, spent: 0, ...row?.accounts };
  expect(Object.values(accounts).reduce((sum, amount) => sum + amount, 0)).toBe(0);
  expect((row?.wallet ?? 0) + (row?.uncounted ?? 0)).toBe(accounts.wallet);
  return accounts;
}
