import type pg from "pg";
import { expect } from "vitest";
import { accountsOf } from "../capabilities/balance/balance-fixture.ts";
import { verifyEmailOf } from "../support/verified-email.ts";
import type { KillableServers } from "./killable-servers.ts";

const password = "correct horse battery";
/** Of the prices of the test. */
const digits = 4;

/** A workspace with a balance. Its calls as a user are repeated on another server until they are answered. */
export class SpendingWorkspace {
  readonly id: string;
  readonly #servers: KillableServers;
  readonly #email: string;
  #session: string;
  /** Payments of the operator, and what they add up to. */
  payments = 0;
  paid = 0;

  private constructor(servers: KillableServers, id: string, email: string, session: string) {
    this.id = id;
    this.#servers = servers;
    this.#email = email;
    this.#session = session;
  }

  static async open(servers: KillableServers, databaseUrl: string, name: string): Promise<SpendingWorkspace> {
    const email = `${name}@example.com`;
    const { body } = await servers.any().rest("POST", "/auth/sign-up", { body: { email, password, name } });
    await verifyEmailOf(databaseUrl, body.workspace_id);
    return new SpendingWorkspace(servers, body.workspace_id, email, body.access_token);
  }

  /** The answer's body. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads JSON of which it says itself what it expects
  async manage(method: string, path: string, body?: object): Promise<any> {
    for (;;) {
      const call = { session: this.#session, ...(body === undefined ? {} : { body }) };
      const answer = await this.#servers
        .any()
        .rest(method, path, call)
        .catch(() => undefined);
      if (answer?.status === 401) {
        const signedIn = await this.#servers
          .any()
          .rest("POST", "/auth/sign-in", { body: { email: this.#email, password } })
          .catch(() => undefined);
        this.#session = signedIn?.body?.access_token ?? this.#session;
      } else if (answer !== undefined && answer.body?.error?.code !== "unavailable") {
        expect(answer.body?.error).toBeUndefined();
        return answer.body;
      }
    }
  }

  /** As `byond top-up` does. Every other payment is made twice with one reference. */
  async pay(client: pg.Client, amount: number): Promise<void> {
    this.payments += 1;
    this.paid += amount;
    for (let times = 0; times <= this.payments % 2; times += 1) {
      await client.query("SELECT balance_top_up($1, $2, $3)", [this.id, `payment ${this.payments}`, amount]);
    }
  }

  /** What the entries say of each account, in one snapshot: their sum is 0, and the wallet is what they say. Nothing is below 0. */
  async accounts(databaseUrl: string): Promise<Readonly<Record<string, number>>> {
    const accounts = await accountsOf(databaseUrl, this.id);
    expect(Math.min(accounts.wallet ?? 0, accounts.reserve ?? 0, accounts.spent ?? 0)).toBeGreaterThanOrEqual(0);
    return accounts;
  }

  /** `GET /balance`, and the sum of all pages of `GET /balance/entries`. */
  async balanceAndEntries(): Promise<{ readonly balance: number; readonly entries: number }> {
    const balance = integerOf((await this.manage("GET", "/balance")).amount);
    let entries = 0;
    for (let token = ""; ; ) {
      const page = await this.manage("GET", `/balance/entries?page_size=100${token && `&page_token=${token}`}`);
      for (const { amount } of page.entries) {
        entries += integerOf(amount);
      }
      token = page.next_page_token ?? "";
      if (token === "") {
        return { balance, entries };
      }
    }
  }
}

/** A cap that is raised and lowered while it is spent. */
export class MovingCap {
  readonly #workspace: SpendingWorkspace;
  readonly #client: pg.Client;
  /** Empty: that of the workspace. */
  readonly #keyId: string;
  readonly #period: "day" | "month";
  #amount = 0;
  #bound = 0;
  #starts = "";
  /** How many times it was set, and lowered below what was spent or held. */
  changes = 0;
  lowered = 0;
  /** By how much it was passed at most, and what was held at most beyond it when it was lowered. */
  passedBy = 0;
  heldBeyond = 0;

  constructor(workspace: SpendingWorkspace, client: pg.Client, keyId: string, period: "day" | "month") {
    this.#workspace = workspace;
    this.#client = client;
    this.#keyId = keyId;
    this.#period = period;
  }

  /** Sets it to what is spent or held now and `more` beyond that, or less than that if it is negative. */
  async move(more: number): Promise<void> {
    if (this.changes > 0) {
      await this.check();
    }
    const { held: heldBefore } = await this.#spent();
    this.#amount = Math.max(0, heldBefore + more);
    await this.#workspace.manage("PUT", `/spend-caps/${this.#keyId || "workspace"}`, {
      amount: (this.#amount / 10 ** digits).toFixed(digits),
      period: this.#period,
    });
    // Whoever took a reserve under the cap before has it by now, or waits for this lock and finds the new one.
    await this.#client.query("BEGIN");
    await this.#client.query("SELECT FROM wallet WHERE workspace_id = $1 FOR UPDATE", [this.#workspace.id]);
    const { held, starts } = await this.#spent();
    await this.#client.query("COMMIT");
    this.#starts = starts;
    this.#bound = Math.max(this.#amount, held);
    this.heldBeyond = Math.max(this.heldBeyond, held - this.#amount);
    this.lowered += held > this.#amount ? 1 : 0;
    this.changes += 1;
  }

  /** What was spent since the cap was set is within it, or within what was spent or held then. */
  async check(): Promise<void> {
    const { charged, starts } = await this.#spent();
    if (starts === this.#starts) {
      this.passedBy = Math.max(this.passedBy, charged - this.#amount);
      expect(charged).toBeLessThanOrEqual(this.#bound);
    }
  }

  /** In the period: what was charged and not refunded, and what counts against the cap. In one snapshot. */
  async #spent(): Promise<{ readonly charged: number; readonly held: number; readonly starts: string }> {
    const { rows } = await this.#client.query(
      `WITH period AS (SELECT date_trunc($3, now() AT TIME ZONE 'UTC')::date AS starts)
      SELECT starts::text,
        coalesce((
          SELECT sum(CASE kind WHEN 'charge' THEN amount ELSE -amount END) FROM ledger_entry
          WHERE workspace_id = $1 AND ($2 = '' OR key_id = $2) AND kind IN ('charge', 'refund') AND date_trunc($3, day::timestamp) = starts
        ), 0)::float8 AS charged,
        coalesce((
          SELECT amount FROM spend_period AS spent WHERE workspace_id = $1 AND key_id = $2 AND period = $3 AND spent.starts = period.starts
        ), 0)::float8 AS held
      FROM period`,
      [this.#workspace.id, this.#keyId, this.#period],
    );
    return rows[0];
  }
}

function integerOf(amount: string): number {
  return Math.round(Number(amount) * 10 ** digits);
}
