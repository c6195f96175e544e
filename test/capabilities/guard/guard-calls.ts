import pg from "pg";
import { expect } from "vitest";
import { parseConfig } from "../../../src/app.ts";
import type { SignedUp, TestApp } from "../../support/app.ts";
import type { Answer, Protocol } from "../../support/protocols.ts";
import { verifyEmailOf } from "../../support/verified-email.ts";

/** Providers of text messages and calls that nobody answers for: what is sent waits. */
export const guardedDelivery = parseConfig({
  SMS_URL: "http://127.0.0.1:9/",
  VOICE_URL: "http://127.0.0.1:9/",
  PROVIDER_SECRET: "a secret of thirty-two bytes or more",
}).delivery;

/** A workspace of a test, and its keys. */
export interface GuardedWorkspace extends SignedUp {
  readonly live: string;
  readonly sandbox: string;
}

export async function signUpGuarded(app: TestApp): Promise<GuardedWorkspace> {
  const account = await app.signUp();
  await verifyEmailOf(app.databaseUrl, account.workspaceId);
  const mint = async (mode: "live" | "test") =>
    (await app.rest("POST", "/api-keys", { session: account.session, body: { name: mode, mode } })).body.key;
  return { ...account, live: await mint("live"), sandbox: await mint("test") };
}

let numbers = 0;

/** Another number of Singapore each time, of the range `+6591x` or of one that is given. */
export function newNumber(prefix = "+6591"): string {
  numbers += 1;
  return `${prefix}${String(numbers).padStart(11 - prefix.length, "0")}`;
}

/** Calls of a workspace over a protocol. Without a key, of its session. */
export function guardCalls(protocol: Protocol, app: TestApp, { session }: GuardedWorkspace, key?: string) {
  const credential = key === undefined ? { session } : { key };
  const call = (name: Parameters<Protocol["call"]>[1], input: Record<string, unknown> = {}) =>
    protocol.call(app, name, input, credential);
  return {
    call,
    update: async (changes: Record<string, unknown>) => {
      const { code, body } = await protocol.call(app, "UpdateGuard", changes, { session });
      expect([code, body]).toEqual(["ok", expect.anything()]);
      return body;
    },
    start: (recipient: string, input: Record<string, unknown> = {}): Promise<Answer> =>
      call("StartVerification", { channel: "sms", recipient, ...input }),
  };
}

/** Blocks a range as the guard does when hardly any of its codes is entered. Returns the block's id. */
export async function blockRange(
  { databaseUrl }: Pick<TestApp, "databaseUrl">,
  workspaceId: string,
  numberRange: string,
): Promise<string> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ id: string }>(
      `INSERT INTO guard_block (workspace_id, number_range, id, level, started, approved, starts_at, ends_at)
       VALUES ($1, $2, 'gbl_' || id_time(byond_now()) || id_random(), 0, 120, 3, byond_now(), byond_now() + interval '15 minutes')
       RETURNING id`,
      [workspaceId, numberRange],
    );
    return rows[0]?.id ?? "";
  } finally {
    await client.end();
  }
}
