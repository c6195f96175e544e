import type { Timers } from "../../../outbox/timers.ts";
import { statuses } from "./command-status.ts";
import type { ReceivedPdu } from "./smpp-pdu.ts";

export type SmppAnswer =
  | { readonly kind: "answered"; readonly status: number; readonly messageId: string | undefined }
  /** `mayBeSent`: the request was written. */
  | { readonly kind: "unanswered"; readonly reason: string; readonly mayBeSent?: true };

interface PendingRequest {
  readonly command: string;
  readonly settle: (answer: SmppAnswer) => void;
}

/** The last sequence number (SMPP 3.4, §3.2); the next one is 1 again. */
const lastSequence = 0x7fffffff;

/** The requests of one connection that the SMSC has not answered, by sequence number. */
export class PendingRequests {
  readonly #timers: Timers;
  readonly #pending = new Map<number, PendingRequest>();
  #sequence = 0;
  #onSettled = () => {};

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Adds a request that is about to be sent. Its answer is `unanswered` after `timeoutMs`. */
  add(command: string, timeoutMs: number): { readonly sequence: number; readonly answer: Promise<SmppAnswer> } {
    const { promise, resolve } = Promise.withResolvers<SmppAnswer>();
    this.#sequence = this.#sequence === lastSequence ? 1 : this.#sequence + 1;
    const sequence = this.#sequence;
    const cancel = this.#timers.after(timeoutMs, () =>
      settle({ kind: "unanswered", reason: "the SMSC did not answer in time", mayBeSent: true }),
    );
    const settle = (answer: SmppAnswer) => {
      cancel();
      this.#pending.delete(sequence);
      resolve(answer);
      this.#onSettled();
    };
    this.#pending.set(sequence, { command, settle });
    return { sequence, answer: promise };
  }

  /** Takes a response. One that answers no request, or a request of another kind, is nobody's. */
  settle({ command, sequence, status, fields }: ReceivedPdu): void {
    const pending = this.#pending.get(sequence);
    const isNack = command === "generic_nack";
    if (pending !== undefined && (isNack || command === `${pending.command}_resp`)) {
      const messageId = typeof fields?.message_id === "string" ? fields.message_id : undefined;
      // A nack is no consent, whatever its status.
      pending.settle({ kind: "answered", status: isNack && status === 0 ? statuses.unknownError : status, messageId });
    }
  }

  /** The connection has ended: nothing will be answered any more. */
  settleAll(reason: string): void {
    for (const { settle } of [...this.#pending.values()]) {
      settle({ kind: "unanswered", reason, mayBeSent: true });
    }
  }

  /** Resolves when none is left. */
  async allSettled(): Promise<void> {
    while (this.#pending.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onSettled = resolve;
      });
    }
  }
}
