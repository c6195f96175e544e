import { createId } from "../../crypto/ids.ts";
import { withoutDeadline } from "../../database/call-deadline.ts";
import { change, type Database } from "../../database/database.ts";
import { bigint, double, statement, text } from "../../database/statement.ts";
import { AppError } from "../../errors.ts";
import { reserveLifeMs } from "./balance.policy.ts";

/** Who spends. */
export interface Spender {
  readonly workspaceId: string;
  /** Empty: no key. */
  readonly keyId: string;
}

/** Money for one spender, which this server may charge to. */
export interface TakenReserve {
  readonly outcome: "taken";
  readonly id: string;
  readonly amount: number;
  /** For how long, from before it was asked for. */
  readonly lastsMs: number;
}

/** One that may have been taken, with as much as was asked for at most: nobody can tell. */
export interface UnknownReserve {
  readonly outcome: "unknown";
  readonly id: string;
}

/** Why there is none. Amounts as text: they may be larger than numbers. */
export type RefusedReserve = {
  /** What a reserve could have had: too little. */
  readonly left: string;
  /** What is in open reserves, and would be left otherwise. */
  readonly setAside: string;
} & (
  | { readonly outcome: "insufficient_balance" }
  | {
      readonly outcome: "spend_cap_reached";
      readonly spent: string;
      /** Whether it is the cap of the key, and not that of the workspace. */
      readonly isOfKey: boolean;
      readonly resetsAt: Date;
    }
);

const take = statement<{
  outcome: "taken" | RefusedReserve["outcome"];
  taken: string | null;
  lastsMs: number | null;
  rest: string | null;
  setAside: string | null;
  spent: string | null;
  ofKey: boolean | null;
  resetsAt: Date | null;
}>("take_spend_reserve")(
  {
    workspaceId: text,
    keyId: text,
    id: text,
    serverId: text,
    price: bigint,
    needed: bigint,
    wanted: bigint,
    lifeMs: double,
  },
  (p) => `
    SELECT * FROM spend_take_reserve(
      ${p.workspaceId}, ${p.keyId}, ${p.id}, ${p.serverId}, ${p.price}, ${p.needed}, ${p.wanted}, ${p.lifeMs}
    )`,
);

const close = statement<{ closed: boolean }>("close_spend_reserve")(
  { workspaceId: text, id: text },
  (p) => `SELECT spend_close_reserve(${p.workspaceId}, ${p.id}) AS closed`,
);

export interface ReserveAmounts {
  /** The price of one of what it is for. */
  readonly price: number;
  /** The prices of all that waits for it. 0: nothing does, and it takes no more than a part of what is left. */
  readonly needed: number;
  /** What is expected until it is used up. */
  readonly wanted: number;
}

/** Reserves as the database has them. */
export interface ReserveStore {
  /**
   * Takes a reserve of at least `price`, of `needed` if there is as much, and else of no more than `wanted`. Throws `unavailable`: none was taken.
   */
  take(spender: Spender, amounts: ReserveAmounts): Promise<TakenReserve | UnknownReserve | RefusedReserve>;
  /** Gives what was not charged back to the wallet. Repeatable. */
  close(workspaceId: string, id: string): Promise<void>;
}

export function databaseReserveStore(
  database: Pick<Database, "transaction">,
  serverId: string,
  lifeMs: number = reserveLifeMs,
): ReserveStore {
  return {
    async take({ workspaceId, keyId }, amounts) {
      const id = createId("rsv");
      const values = { workspaceId, keyId, id, serverId, lifeMs, ...amounts };
      // Other calls than the one that is first wait for it.
      const rows = await withoutDeadline(() => change(database, take, values)).catch(unlessUnknown);
      if (rows === undefined) {
        return { outcome: "unknown", id };
      }
      const [row] = rows;
      if (row === undefined) {
        throw new TypeError("taking a reserve answers one row");
      }
      if (row.outcome === "taken") {
        return { outcome: "taken", id, amount: Number(row.taken), lastsMs: row.lastsMs ?? 0 };
      }
      const { rest, setAside, spent, ofKey, resetsAt } = row;
      const refused = { left: rest ?? "0", setAside: setAside ?? "0" };
      return row.outcome === "insufficient_balance" || resetsAt === null
        ? { outcome: "insufficient_balance", ...refused }
        : { outcome: "spend_cap_reached", ...refused, spent: spent ?? "0", isOfKey: ofKey === true, resetsAt };
    },
    async close(workspaceId, id) {
      await withoutDeadline(() => change(database, close, { workspaceId, id }));
    },
  };
}

function unlessUnknown(error: unknown): undefined {
  if (!(error instanceof AppError) || error.code !== "outcome_unknown") {
    throw error;
  }
}
