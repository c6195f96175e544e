import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { BalanceEntryKind, BalanceService, SpendPeriod } from "../../../gen/byond/v1/balance_pb.ts";
import { anyCaller, credentialOf, sessionCaller } from "../../access/caller.ts";
import type { Database } from "../../database/database.ts";
import { AppError, invalidFields } from "../../errors.ts";
import { type FieldCheck, fieldCheck } from "../../rpc/validation.ts";
import { pageSize } from "./balance.policy.ts";
import { readBalance } from "./get-balance.ts";
import { type BalanceEntry, listEntries } from "./list-entries.ts";
import { formatAmount, type Prices, parseAmount } from "./prices.ts";
import { deleteSpendCap, listSpendCaps, type SpendCap, setSpendCap } from "./spend-caps.ts";

const kinds = {
  top_up: BalanceEntryKind.TOP_UP,
  correction: BalanceEntryKind.CORRECTION,
  charge: BalanceEntryKind.CHARGE,
  refund: BalanceEntryKind.REFUND,
} as const satisfies Record<BalanceEntry["kind"], BalanceEntryKind>;

const periods = { day: SpendPeriod.DAY, month: SpendPeriod.MONTH } as const satisfies Record<
  SpendCap["period"],
  SpendPeriod
>;

interface Dependencies {
  readonly database: Database;
  /** Undefined: the server has none, and workspaces no balance. */
  readonly prices: Prices | undefined;
}

/** Throws `not_found` without prices: none of the calls exist then. */
function existing(prices: Prices | undefined): Prices {
  if (prices === undefined) {
    throw new AppError("not_found", "This server has no prices: nothing costs anything.");
  }
  return prices;
}

/** Without prices, a request that breaks rules is told so as well: `not_found`, and nothing of its fields. */
export function balanceFieldChecks(prices: Prices | undefined): readonly FieldCheck[] {
  return BalanceService.methods.map(({ input }) =>
    fieldCheck(input, () => {
      existing(prices);
      return {};
    }),
  );
}

/** BalanceService: translates messages to operations and back. */
export function balanceService(deps: Dependencies): ServiceImpl<typeof BalanceService> {
  const pricesOf = () => existing(deps.prices);
  return {
    async getBalance(_, context) {
      const prices = pricesOf();
      const { total, reserved } = await readBalance(deps, anyCaller(context).workspaceId);
      const { currency } = prices;
      return {
        balance: { amount: formatAmount(prices, total), reserved: formatAmount(prices, reserved), currency },
      };
    },

    async listBalanceEntries(request, context) {
      const prices = pricesOf();
      const { entries, nextPageToken } = await listEntries(deps, {
        workspaceId: anyCaller(context).workspaceId,
        pageSize: request.pageSize ?? pageSize.default,
        pageToken: request.pageToken,
      });
      return {
        entries: entries.map((entry) => entryMessage(prices, entry)),
        currency: prices.currency,
        ...(nextPageToken === undefined ? {} : { nextPageToken }),
      };
    },

    async listSpendCaps(_, context) {
      const prices = pricesOf();
      const caps = await listSpendCaps(deps, anyCaller(context).workspaceId);
      return { spendCaps: caps.map((cap) => capMessage(prices, cap)), currency: prices.currency };
    },

    async setSpendCap({ owner, amount: text, period }, context) {
      const prices = pricesOf();
      const amount = parseAmount(prices, text);
      if (amount === undefined) {
        throw invalidFields({ amount: `must have at most ${prices.digits} digits after the point` });
      }
      const caller = sessionCaller(context);
      const input = {
        workspaceId: caller.workspaceId,
        owner,
        amount,
        period: period === SpendPeriod.MONTH ? ("month" as const) : ("day" as const),
      };
      return { spendCap: capMessage(prices, await setSpendCap(deps, input, credentialOf(caller))) };
    },

    async deleteSpendCap({ owner }, context) {
      pricesOf();
      const caller = sessionCaller(context);
      await deleteSpendCap(deps, { workspaceId: caller.workspaceId, owner }, credentialOf(caller));
      return { owner, deleted: true };
    },
  };
}

function entryMessage(prices: Prices, { kind, amount, reference, item, subjectId, keyId, createdAt }: BalanceEntry) {
  return {
    createdAt: timestampFromDate(createdAt),
    kind: kinds[kind],
    amount: formatAmount(prices, amount),
    reference,
    ...(item === null ? {} : { item }),
    ...(subjectId === null ? {} : { verificationId: subjectId }),
    ...(keyId === "" ? {} : { apiKeyId: keyId }),
  };
}

function capMessage(prices: Prices, { keyId, amount, period, spent, resetsAt }: SpendCap) {
  return {
    owner: keyId === "" ? "workspace" : keyId,
    amount: formatAmount(prices, amount),
    period: periods[period],
    spent: formatAmount(prices, spent),
    resetsAt: timestampFromDate(resetsAt),
  };
}
