import type { Queryable } from "../../database/database.ts";
import { double, statement, text } from "../../database/statement.ts";
import { claimMs } from "./bounces.policy.ts";

/** How far a mailbox was read. */
export interface ReadUntil {
  /** Null: nothing was read. */
  readonly uidValidity: number | null;
  readonly lastUid: number;
}

/** Claims the mailbox for this server, or keeps it. No row: another server reads it. */
const claim = statement<ReadUntil>("claim_bounce_mailbox")(
  { mailbox: text, serverId: text },
  (p) => `
    INSERT INTO bounce_mailbox AS claimed (mailbox, server_id, claimed_until)
    VALUES (${p.mailbox}, ${p.serverId}, byond_now() + interval '${claimMs} milliseconds')
    ON CONFLICT (mailbox) DO UPDATE SET server_id = excluded.server_id, claimed_until = excluded.claimed_until
      WHERE claimed.server_id = excluded.server_id
        OR byond_now() NOT BETWEEN claimed.claimed_until - interval '${claimMs} milliseconds' AND claimed.claimed_until
    RETURNING uid_validity::float8, last_uid::float8`,
);

/** Notes how far the mailbox was read, and keeps the claim. */
const advance = statement<{ mailbox: string }>("advance_bounce_mailbox")(
  { mailbox: text, serverId: text, uidValidity: double, lastUid: double },
  (p) => `
    UPDATE bounce_mailbox SET
      uid_validity = ${p.uidValidity}, last_uid = ${p.lastUid}, claimed_until = byond_now() + interval '${claimMs} milliseconds'
    WHERE mailbox = ${p.mailbox} AND server_id = ${p.serverId}
    RETURNING mailbox`,
);

const release = statement("release_bounce_mailbox")(
  { mailbox: text, serverId: text },
  (p) => `
    UPDATE bounce_mailbox SET claimed_until = byond_now() - interval '1 millisecond'
    WHERE mailbox = ${p.mailbox} AND server_id = ${p.serverId}`,
);

/** One server's claim to a mailbox. Reading it twice does no harm: a claim spares the mailbox, and nothing depends on it. */
export class MailboxClaim {
  readonly #database: Queryable;
  readonly #key: { readonly mailbox: string; readonly serverId: string };

  constructor(database: Queryable, mailbox: string, serverId: string) {
    this.#database = database;
    this.#key = { mailbox, serverId };
  }

  /** Returns how far the mailbox was read. Undefined: another server reads it. */
  async take(): Promise<ReadUntil | undefined> {
    const [row] = await this.#database.run(claim, this.#key);
    return row;
  }

  /** Returns false if another server has taken the mailbox over. */
  async advance(uidValidity: number, lastUid: number): Promise<boolean> {
    return (await this.#database.run(advance, { ...this.#key, uidValidity, lastUid })).length > 0;
  }

  /** Another server may read the mailbox at once. */
  async release(): Promise<void> {
    await this.#database.run(release, this.#key);
  }
}
