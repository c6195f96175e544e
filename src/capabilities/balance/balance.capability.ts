import { BalanceService } from "../../../gen/byond/v1/balance_pb.ts";
import { type Capability, Offer } from "../../capability.ts";
import { bindService } from "../../rpc/router.ts";
import type { LookupCharges } from "../lookup/lookup-charges.ts";
import type { Amounts } from "../reports/get-verification-report.ts";
import type { SendCharges } from "../verify/send-charges.ts";
import type { AddedSendSteps } from "../verify/send-steps.ts";
import { balanceFieldChecks, balanceService } from "./balance.rpc.ts";
import { Balance0001 } from "./balance-0001.migration.ts";
import { Balance0002 } from "./balance-0002.migration.ts";
import { type BalanceSettings, balanceSettings, readBalanceSettings } from "./balance-settings.ts";
import { balanceSweeps } from "./balance-sweeps.ts";
import { chargeStep } from "./charge-step.ts";
import { refusalOf, sendCharges } from "./charges.ts";
import { claimCurrency } from "./ledger-currency.ts";
import { LedgerEntryEntity } from "./ledger-entry.entity.ts";
import { lookupCharges } from "./lookup-charges.ts";
import { formatAmount } from "./prices.ts";
import { databaseReserveStore } from "./reserve-store.ts";
import { Reserves } from "./reserves.ts";
import {
  LedgerCurrencyEntity,
  SpendCapEntity,
  SpendPeriodEntity,
  SpendReserveEntity,
  WalletEntity,
} from "./spending.entity.ts";
import { topUpCommand } from "./top-up-command.ts";

/** What this capability offers to others. Undefined: the server has no prices. */
export interface Charges {
  readonly sends: SendCharges | undefined;
  /** Also undefined: lookups cost nothing. */
  readonly lookups: LookupCharges | undefined;
  readonly amounts: Amounts | undefined;
}

/**
 * What workspaces spend, if the operator has set prices: a ledger with two accounts for each entry, the balance, and caps. The balance is no hot
 * row: each server takes reserves of it, and charges to them in the statement of the send.
 */
export function balanceCapability() {
  const charges = new Offer<Charges>("balance");
  const capability: Capability<BalanceSettings> = {
    name: "balance",
    scopes: ["balance"],
    entities: [
      LedgerCurrencyEntity,
      WalletEntity,
      LedgerEntryEntity,
      SpendReserveEntity,
      SpendPeriodEntity,
      SpendCapEntity,
    ],
    migrations: [
      { name: "balance-0001", class: Balance0001 },
      { name: "balance-0002", class: Balance0002 },
    ],
    workspaceTables: {
      spend_reserve: "id",
      ledger_entry: "reserve_id, reference, kind",
      spend_period: "key_id, period, starts",
      spend_cap: "key_id",
      wallet: "workspace_id",
    },
    commands: { "top-up": topUpCommand },
    settings: [balanceSettings],
    readSettings: readBalanceSettings,
    async start({ database, clock, serverId }, { prices }) {
      let reserves: Reserves | undefined;
      if (prices === undefined) {
        charges.give({ sends: undefined, lookups: undefined, amounts: undefined });
      } else {
        await claimCurrency(database, prices);
        reserves = new Reserves({ store: databaseReserveStore(database, serverId), clock, refusal: refusalOf(prices) });
        charges.give({
          sends: sendCharges(prices, reserves),
          lookups: lookupCharges({ database, reserves }, prices),
          amounts: { currency: prices.currency, format: (amount) => formatAmount(prices, amount) },
        });
      }
      return {
        services: [
          {
            binding: bindService(BalanceService, balanceService({ database, prices })),
            fieldChecks: balanceFieldChecks(prices),
            shed: { listBalanceEntries: "second" },
          },
        ],
        sweeps: balanceSweeps({ database }),
        close: () => reserves?.stop(),
      };
    },
  };
  const sendSteps = { charge: [chargeStep] } satisfies AddedSendSteps;
  return { ...capability, charges, sendSteps };
}
