import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { createId } from "../../src/crypto/ids.ts";
import type { Database } from "../../src/database/database.ts";
import { type OutboxItem, outboxInsert } from "../../src/outbox/outbox.ts";
import type { SendResult } from "../../src/outbox/send-result.ts";
import { DeliveryWorker, type DeliveryWorkerOptions } from "../../src/outbox/worker.ts";
import { captureLog } from "../support/log-capture.ts";
import { querySql } from "../support/sql.ts";
import { ManualClock } from "./manual-clock.ts";
import { ScriptedSender } from "./scripted-sender.ts";
import { openTestDatabase, type TestConnection } from "./test-database.ts";

/** Gives every test of a file an empty outbox and a sender that it scripts. */
export function useOutbox(): { readonly outbox: OutboxFixture; readonly sender: ScriptedSender } {
  let connection: TestConnection;
  let outbox: OutboxFixture;
  let sender: ScriptedSender;
  beforeAll(async () => {
    connection = await openTestDatabase();
  });
  afterAll(async () => {
    await connection.close();
  });
  beforeEach(async () => {
    outbox = await OutboxFixture.create(connection.database);
    sender = new ScriptedSender();
  });
  afterEach(async () => {
    await outbox.stop();
  });
  return {
    get outbox() {
      return outbox;
    },
    get sender() {
      return sender;
    },
  };
}

/** A row of the outbox, as far as tests look at it. */
export interface OutboxState {
  status: string;
  attempts: number;
  claim: number;
  claimed_by: string;
  last_error: string | null;
  payload_sealed: Buffer | null;
}

export interface AttemptState {
  claim: number;
  lane: string;
  state: string;
  provider_message_id: string | null;
  error: string | null;
  delivered_at: Date | null;
  read_at: Date | null;
}

/** An outbox on a database of its own, with servers whose clock and senders the test moves. */
export class OutboxFixture {
  readonly database: Database;
  readonly clock: ManualClock;
  readonly workspaceId = createId("ws");
  readonly log = captureLog();
  readonly #workers: DeliveryWorker[] = [];

  private constructor(database: Database, clock: ManualClock) {
    this.database = database;
    this.clock = clock;
  }

  static async create(database: Database): Promise<OutboxFixture> {
    await querySql(database, { name: "empty_outbox", text: "DELETE FROM outbox" }, []);
    return new OutboxFixture(database, await ManualClock.create(database));
  }

  /** A server whose attempts end as `send` says; "mail" and "chat" are its lanes, of two places each unless told. */
  server(
    serverId: string,
    send: (item: OutboxItem, signal: AbortSignal) => Promise<SendResult>,
    options: Partial<DeliveryWorkerOptions> = {},
  ): DeliveryWorker {
    const worker = new DeliveryWorker({
      database: this.database,
      clock: this.clock,
      timers: this.clock,
      logger: this.log.logger,
      serverId,
      senders: { test: { send } },
      lanes: { mail: 2, chat: 2 },
      random: () => 0.5,
      ...options,
    });
    this.#workers.push(worker);
    return worker;
  }

  /** Writes a message as a capability would, and returns the item that it hands to its worker. */
  async write(
    serverId: string,
    options: { readonly lane?: string; readonly ttlMs?: number; readonly kind?: string } = {},
  ): Promise<OutboxItem> {
    const { lane = "mail", ttlMs = 300_000, kind = "test" } = options;
    const id = createId("dlv");
    const subjectId = createId("vrf");
    const payloadSealed = Buffer.from("sealed");
    const claimedAtMs = this.clock.monotonicMs();
    const insert = outboxInsert({
      from: "subject",
      workspaceId: "$1",
      id: "$2",
      kind: "$3",
      lane: "$4",
      subjectId: "$5",
      payloadSealed: "$6",
      claimedBy: "$7",
      createdAt: "created_at",
      expiresAt: "expires_at",
    });
    const text = `
      WITH subject AS (
        SELECT at AS created_at, at + $8::float8 * interval '1 millisecond' AS expires_at FROM byond_now() AS at
      ), queued AS (${insert})
      SELECT created_at, expires_at FROM subject`;
    const [row] = await querySql<{ created_at: Date; expires_at: Date }>(this.database, { name: "test_write", text }, [
      this.workspaceId,
      id,
      kind,
      lane,
      subjectId,
      payloadSealed,
      serverId,
      ttlMs,
    ]);
    if (row === undefined) {
      throw new TypeError("nothing was written");
    }
    return {
      workspaceId: this.workspaceId,
      id,
      kind,
      lane,
      subjectId,
      payloadSealed,
      attempts: 0,
      claim: 1,
      createdAt: row.created_at,
      expiresAt: row.expires_at,
      claimedAtMs,
    };
  }

  async state(item: OutboxItem): Promise<OutboxState | undefined> {
    const text = "SELECT * FROM outbox WHERE workspace_id = $1 AND id = $2";
    const [row] = await querySql<OutboxState & Record<string, unknown>>(this.database, { name: "test_state", text }, [
      item.workspaceId,
      item.id,
    ]);
    return row;
  }

  /** How long the claim of an item lasts from now. */
  async claimLeftMs(item: OutboxItem): Promise<number> {
    const text = `
      SELECT extract(epoch FROM available_at - byond_now())::float8 * 1000 AS left_ms
      FROM outbox WHERE workspace_id = $1 AND id = $2`;
    const [row] = await querySql<{ left_ms: number }>(this.database, { name: "test_claim_left", text }, [
      item.workspaceId,
      item.id,
    ]);
    return row?.left_ms ?? Number.NaN;
  }

  async attempts(item: OutboxItem): Promise<AttemptState[]> {
    const text = "SELECT * FROM delivery_attempt WHERE workspace_id = $1 AND outbox_id = $2 ORDER BY claim";
    return querySql<AttemptState & Record<string, unknown>>(this.database, { name: "test_attempts", text }, [
      item.workspaceId,
      item.id,
    ]);
  }

  /** Stops every server, and moves the time until they have. */
  async stop(): Promise<void> {
    let haveStopped = false;
    const stopped = Promise.all(this.#workers.map((worker) => worker.stop(0))).then(() => {
      haveStopped = true;
    });
    while (!haveStopped) {
      await this.clock.advance(10_000);
    }
    await stopped;
  }
}
