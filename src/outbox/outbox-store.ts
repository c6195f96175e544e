import type { Queryable } from "../database/database.ts";
import { array, integer, statement, text } from "../database/statement.ts";
import { type Attempt, AttemptRecorder, type OutboxStatus } from "./attempt-recorder.ts";
import type { GroupWants } from "./lane-set.ts";
import { claimMs, expiryBatchSize } from "./outbox.policy.ts";
import type { OutboxItem } from "./outbox.ts";

/** An item, and how long it was from its claim to its expiry, by the database's clock. */
export interface ClaimedItem {
  readonly item: OutboxItem;
  readonly remainingMs: number;
}

/** A claim under which nothing was sent. */
export type UnusedClaim = OutboxKey & Pick<OutboxItem, "claim">;

/** The primary key of a row. */
export type OutboxKey = Pick<OutboxItem, "workspaceId" | "id">;

/**
 * Claims what is due, oldest first, up to the number of places of each lane. Rows that another server is claiming at the
 * same time are skipped, not waited for. `(SELECT byond_now())` is evaluated once, so that the index serves the order.
 *
 * A server that is gone may have sent what it had claimed: its price does not come back.
 */
const claimDue = statement<Omit<OutboxItem, "claimedAtMs"> & { remainingMs: number }>("outbox_claim_due")(
  { lanes: array(text), places: array(integer), serverId: text },
  (p) => `
    WITH due AS (
      SELECT found.workspace_id, found.id
      FROM unnest(${p.lanes}, ${p.places}) AS wanted (lane, places)
      CROSS JOIN LATERAL (
        SELECT workspace_id, id
        FROM outbox
        WHERE status = 'pending' AND lane = wanted.lane
          AND available_at <= (SELECT byond_now()) AND expires_at > (SELECT byond_now())
        ORDER BY available_at
        LIMIT wanted.places
        FOR UPDATE SKIP LOCKED
      ) AS found
    )
    UPDATE outbox
    SET claim = claim + 1, claimed_by = ${p.serverId}, available_at = byond_now() + interval '${claimMs} milliseconds',
      charged_to = CASE
        WHEN charged_to IS NULL OR claimed_by IS NULL OR outbox_claimant_lives(claimed_by) THEN charged_to
      END
    FROM due
    WHERE outbox.workspace_id = due.workspace_id AND outbox.id = due.id
    RETURNING outbox.workspace_id, outbox.id, kind, lane, subject_id, payload_sealed, attempts, claim, created_at, expires_at, trace_parent,
      extract(epoch FROM expires_at - byond_now())::float8 * 1000 AS remaining_ms`,
);

/** Claims what is due in the lanes of a group: see `outbox-0004.migration.ts`. */
const claimDueOfGroup = statement<Omit<OutboxItem, "claimedAtMs"> & { remainingMs: number }>("outbox_claim_group")(
  {
    group: text,
    places: integer,
    placesEach: integer,
    knownLanes: array(text),
    knownPlaces: array(integer),
    serverId: text,
  },
  (p) => `
    SELECT workspace_id, id, kind, lane, subject_id, payload_sealed, attempts, claim, created_at, expires_at, trace_parent,
      extract(epoch FROM expires_at - byond_now())::float8 * 1000 AS remaining_ms
    FROM outbox_claim_group(
      ${p.group}, ${p.places}, ${p.placesEach}, ${p.knownLanes}, ${p.knownPlaces}, ${p.serverId},
      interval '${claimMs} milliseconds'
    )`,
);

const renewClaims = statement<OutboxKey>("outbox_renew_claims")(
  { workspaceIds: array(text), ids: array(text), serverId: text },
  (p) => `
    SELECT workspace_id, id FROM outbox_renew_claims(
      ${p.workspaceIds}, ${p.ids}, ${p.serverId}, byond_now() + interval '${claimMs} milliseconds'
    )`,
);

const releaseClaims = statement("outbox_release_claims")(
  { workspaceIds: array(text), ids: array(text), claims: array(integer), serverId: text },
  (p) => `SELECT outbox_release_claims(${p.workspaceIds}, ${p.ids}, ${p.claims}, ${p.serverId})`,
);

/** Marks a batch of messages as expired that nobody was sending when they expired. */
const expireOverdue = statement<{ id: string }>("outbox_expire_overdue")(
  { lanes: array(text) },
  (p) => `
    WITH overdue AS (
      SELECT workspace_id, id
      FROM outbox
      WHERE status = 'pending' AND lane = ANY (${p.lanes})
        AND available_at <= (SELECT byond_now()) AND expires_at <= (SELECT byond_now())
      LIMIT ${expiryBatchSize}
      FOR UPDATE SKIP LOCKED
    )
    UPDATE outbox
    SET status = 'expired', finished_at = byond_now(), payload_sealed = NULL,
      last_error = coalesce(last_error, 'expired before it could be sent')
    FROM overdue
    WHERE outbox.workspace_id = overdue.workspace_id AND outbox.id = overdue.id
    RETURNING outbox.id`,
);

/** The statements on the outbox of one server. */
export class OutboxStore {
  readonly #database: Queryable;
  readonly #serverId: string;
  readonly #monotonicMs: () => number;
  readonly #recorder: AttemptRecorder;

  constructor(database: Queryable, serverId: string, monotonicMs: () => number) {
    this.#database = database;
    this.#serverId = serverId;
    this.#monotonicMs = monotonicMs;
    this.#recorder = new AttemptRecorder(database);
  }

  /** Claims due items for this server: at most `places` of each lane. */
  async claimDue(places: ReadonlyMap<string, number>): Promise<ClaimedItem[]> {
    const claimedAtMs = this.#monotonicMs();
    const rows = await this.#database.run(claimDue, {
      lanes: [...places.keys()],
      places: [...places.values()],
      serverId: this.#serverId,
    });
    return rows.map(({ remainingMs, ...row }) => ({ item: { ...row, claimedAtMs }, remainingMs }));
  }

  /** Claims due items of a group's lanes for this server. */
  async claimDueOfGroup({ group, places, placesEach, known }: GroupWants): Promise<ClaimedItem[]> {
    const claimedAtMs = this.#monotonicMs();
    const rows = await this.#database.run(claimDueOfGroup, {
      group,
      places,
      placesEach,
      knownLanes: [...known.keys()],
      knownPlaces: [...known.values()],
      serverId: this.#serverId,
    });
    return rows.map(({ remainingMs, ...row }) => ({ item: { ...row, claimedAtMs }, remainingMs }));
  }

  /** Extends claims by `claimMs` from now. Returns those that are still this server's, also of messages that were ended meanwhile. */
  async renew(keys: readonly OutboxKey[]): Promise<OutboxKey[]> {
    return this.#database.run(renewClaims, this.#claimValues(keys));
  }

  /** Gives claims up, unless there are newer ones: any server may claim the items at once, and the price of one that was ended comes back. */
  async release(unused: readonly UnusedClaim[]): Promise<void> {
    await this.#database.run(releaseClaims, { ...this.#claimValues(unused), claims: unused.map(({ claim }) => claim) });
  }

  /** Records an attempt. Returns the item's status after it; undefined if another server has claimed the item. */
  record(attempt: Attempt): Promise<OutboxStatus | undefined> {
    return this.#recorder.record(attempt);
  }

  /** Marks a batch of items as expired that expired unsent. Returns how many. */
  async expireOverdue(lanes: readonly string[]): Promise<number> {
    return (await this.#database.run(expireOverdue, { lanes })).length;
  }

  #claimValues(keys: readonly OutboxKey[]) {
    const workspaceIds = keys.map((key) => key.workspaceId);
    return { workspaceIds, ids: keys.map((key) => key.id), serverId: this.#serverId };
  }
}
