import pg from "pg";
import { vi } from "vitest";

/**
 * What a server runs by its clock, however many calls there are: renewals, sweeps, and what is written or read for many calls
 * or messages at once. `quota_reserve` and `spend_reserve` are not among them, since they grow with the calls.
 */
const byTheClock =
  /^(revocation_|outbox_|sweep_|claim_sweep$|number_events$|add_(usage|request_counts)$|update_last_used$|expire_verifications$|close_expired_spend_reserve$|count_verification_refunds$)/;

export interface StatementOfCall {
  readonly name: string;
  readonly text: string;
}

/** Records the statements that servers in this process run for calls, until it is disposed of. */
export class StatementsOfCalls implements Disposable {
  readonly #query = vi.spyOn(pg.Client.prototype, "query");

  /** Those since the beginning or the last `clear`. Statements of calls have names; decision 27 says which others have none. */
  read(): StatementOfCall[] {
    return this.#query.mock.calls
      .map(([config]: readonly unknown[]) => Object(config) as { readonly name?: unknown; readonly text?: unknown })
      .filter(({ name }) => typeof name === "string" && !byTheClock.test(name))
      .map(({ name, text }) => ({ name: String(name), text: String(text) }));
  }

  names(): string[] {
    return this.read().map(({ name }) => name);
  }

  clear(): void {
    this.#query.mockClear();
  }

  [Symbol.dispose](): void {
    this.#query.mockRestore();
  }
}
