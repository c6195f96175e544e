import type { Awaitable } from "../../awaitable.ts";
import { AppError } from "../../errors.ts";
import type { Send, SendCharge } from "./define-send-step.ts";

/** A charge before it is made. One of its functions is called, once; what is called after that does nothing. */
export interface HeldCharge extends SendCharge {
  /** It was made, or nobody knows. */
  spent(): void;
  /** It was not made. */
  giveBack(): void;
  /** The step has refused it: its reserve is closed. */
  refused(): void;
}

/** Holds the prices of sends. `app.ts` hands it to `verifyCapability`, together with its step. */
export interface SendCharges {
  /**
   * Holds the price of a send. Undefined: it costs nothing. A promise: a connection is needed for it, which a transaction must not wait for
   * (`chargedOutside`). Throws `insufficient_balance` and `spend_cap_reached`.
   */
  hold(send: Send): Awaitable<HeldCharge | undefined>;
}

/** A charge that is held for a send. */
interface ReadyCharge {
  readonly send: string;
  readonly held: HeldCharge | undefined;
}

/** Rolls back a transaction in which a charge would have been waited for. */
class ChargeIsAwaited extends Error {
  readonly send: string;
  readonly held: Promise<HeldCharge | undefined>;

  constructor(send: string, held: Promise<HeldCharge | undefined>) {
    super("a charge is held outside of the transaction");
    this.send = send;
    this.held = held;
  }
}

/**
 * Runs work that has a transaction, in which no charge is waited for: where one would be, the work is rolled back, and runs again when the charge
 * is held. What was charged in a transaction that is rolled back was not.
 */
export async function chargedOutside<T>(
  charges: SendCharges | undefined,
  work: (charges: SendCharges | undefined) => Promise<T>,
): Promise<T> {
  if (charges === undefined) {
    return work(undefined);
  }
  let ready: ReadyCharge | undefined;
  for (;;) {
    const made: HeldCharge[] = [];
    const outside: SendCharges = {
      hold(send) {
        const name = `${send.channel} ${send.recipient.exact}`;
        let held: Awaitable<HeldCharge | undefined>;
        if (ready?.send === name) {
          held = ready.held;
          ready = undefined;
        } else {
          held = charges.hold(send);
        }
        if (held instanceof Promise) {
          // It is awaited after the rollback.
          held.catch(() => undefined);
          throw new ChargeIsAwaited(name, held);
        }
        const holding = held;
        return holding && { ...holding, spent: () => void made.push(holding) };
      },
    };
    try {
      const result = await work(outside);
      made.forEach((held) => void held.spent());
      ready?.held?.giveBack();
      return result;
    } catch (error) {
      const isKnown = !(error instanceof AppError) || error.code !== "outcome_unknown";
      made.forEach((held) => void (isKnown ? held.giveBack() : held.spent()));
      ready?.held?.giveBack();
      ready = undefined;
      if (!(error instanceof ChargeIsAwaited)) {
        throw error;
      }
      ready = { send: error.send, held: await error.held };
    }
  }
}
