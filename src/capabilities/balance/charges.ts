import { whenReady } from "../../awaitable.ts";
import { AppError } from "../../errors.ts";
import { networkOf } from "../../text/phone-number.ts";
import type { SendCharges } from "../verify/send-charges.ts";
import { formatAmount, messagePrice, type Prices } from "./prices.ts";
import type { RefusedReserve } from "./reserve-store.ts";
import type { Reserves } from "./reserves.ts";

/** Holds the prices of messages with codes. Those of the sandbox, and of the server's own accounts, cost nothing. */
export function sendCharges(prices: Prices, reserves: Pick<Reserves, "hold">): SendCharges {
  return {
    hold({ workspaceId, mode, message, channel, recipient, keyId = "" }) {
      if (mode !== "live" || message === undefined || workspaceId.startsWith("ws_byond/")) {
        return undefined;
      }
      const { number } = recipient;
      const country = number === undefined ? null : networkOf(number);
      const amount = messagePrice(prices, channel, country);
      if (amount === 0) {
        return undefined;
      }
      const item = country === null ? channel : `${channel}/${country}`;
      return whenReady(reserves.hold({ workspaceId, keyId }, amount), (hold) => ({ ...hold, keyId, item }));
    },
  };
}

/** The error for what the balance, or what is left to a cap, does not cover. */
export function refusalOf(prices: Prices): (refused: RefusedReserve, price: number) => AppError {
  const money = (amount: bigint) => `${formatAmount(prices, amount)} ${prices.currency}`;
  return (refused, price) => {
    const costs = `This costs ${money(BigInt(price))}`;
    const setAside = BigInt(refused.setAside);
    const left = BigInt(refused.left) + setAside;
    const rest = `${money(left)} are left${setAside > 0n ? `, of which servers have set ${money(setAside)} aside for other calls` : ""}`;
    if (refused.outcome === "insufficient_balance") {
      return new AppError("insufficient_balance", `${costs}, and ${rest}.`);
    }
    const { spent, isOfKey, resetsAt } = refused;
    const whose = isOfKey ? "the key" : "the workspace";
    return new AppError("spend_cap_reached", `${costs}. Of what ${whose} may spend, ${rest}.`, {
      spent: formatAmount(prices, BigInt(spent)),
      resetsAt,
    });
  };
}
