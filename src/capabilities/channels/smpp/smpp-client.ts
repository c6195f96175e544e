import type { SmppAnswer } from "./pending-requests.ts";
import { SmppBind, type SmppBindDependencies } from "./smpp-bind.ts";
import type { BindMode, SmppConnection, SmppConnectionOptions } from "./smpp-connection.ts";
import type { PduFields } from "./smpp-pdu.ts";

export interface SmppClientOptions extends Omit<SmppConnectionOptions, "mode" | "timers"> {
  /** The binds that are kept, each over a connection of its own. */
  readonly modes: readonly BindMode[];
  /** Messages that may be under way at once on one connection. */
  readonly window: number;
}

/** `mayBeSent`: the message was written without an answer, or a part of it was accepted before the answer. */
export type SubmitAnswer = { readonly mayBeSent?: true } & (
  | Extract<SmppAnswer, { kind: "answered" }>
  | {
      readonly kind: "unanswered";
      readonly reason: string;
      /** Nothing is bound, and nothing will be for this long. */
      readonly afterMs?: number;
    }
);

/** Another server may be bound: its turn must not come too late for a code. */
const longestPauseMs = 5_000;

interface KeptBind {
  readonly bind: SmppBind;
  readonly canSubmit: boolean;
  /** Messages under way. */
  placesTaken: number;
}

/** Whether a part may have been written. */
interface Progress {
  isWritten: boolean;
}

const abortedAttempt = { kind: "unanswered", reason: "the attempt was aborted" } as const;

interface Place {
  readonly connection: SmppConnection;
  readonly release: () => void;
}

/** Keeps the binds to an SMSC, and submits messages over the one with most room. */
export class SmppClient {
  readonly #binds: readonly KeptBind[];
  readonly #window: number;
  readonly #closing = new AbortController();
  /** Wakes those that wait for a place. */
  #change = Promise.withResolvers<void>();

  constructor(options: SmppClientOptions, deps: Omit<SmppBindDependencies, "onChange">) {
    const { modes, window, ...connection } = options;
    const onChange = () => this.#wakeWaiters();
    this.#window = window;
    this.#binds = modes.map((mode) => ({
      bind: new SmppBind({ ...connection, mode }, { ...deps, onChange }),
      canSubmit: mode !== "receiver",
      placesTaken: 0,
    }));
  }

  /**
   * Submits the parts of a message one after the other, and ends with the first that is refused. Waits for a place, and for a bind that is being
   * made. Never rejects; resolves when the signal aborts.
   */
  async submit(parts: readonly PduFields[], signal: AbortSignal): Promise<SubmitAnswer> {
    const ending = AbortSignal.any([signal, this.#closing.signal]);
    const progress: Progress = { isWritten: false };
    const aborted = new Promise<SubmitAnswer>((resolve) => {
      ending.addEventListener("abort", () =>
        resolve({ ...abortedAttempt, ...(progress.isWritten && { mayBeSent: true }) }),
      );
    });
    return await Promise.race([this.#submit(parts, ending, progress), aborted]);
  }

  /** Unbinds, after the answers to what is under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#wakeWaiters();
    await Promise.all(this.#binds.map(({ bind }) => bind.close()));
  }

  async #submit(parts: readonly PduFields[], signal: AbortSignal, progress: Progress): Promise<SubmitAnswer> {
    const place = await this.#takePlace(signal);
    if ("kind" in place) {
      return place;
    }
    // Also if nobody waits for it any more, the place is free only when the SMSC has answered.
    try {
      let answer: SmppAnswer = { kind: "unanswered", reason: "the message has no parts" };
      let accepted = 0;
      for (const part of parts) {
        if (signal.aborted) {
          break;
        }
        progress.isWritten = true;
        answer = await place.connection.submit(part);
        if (answer.kind === "unanswered" || answer.status !== 0) {
          break;
        }
        accepted += 1;
      }
      return accepted > 0 && accepted < parts.length ? { ...answer, mayBeSent: true } : answer;
    } finally {
      place.release();
    }
  }

  async #takePlace(signal: AbortSignal): Promise<Place | Extract<SubmitAnswer, { kind: "unanswered" }>> {
    while (!signal.aborted) {
      const place = this.#freePlace();
      if (place !== undefined) {
        return place;
      }
      const pauses = this.#binds.filter(({ canSubmit }) => canSubmit).map(({ bind }) => bind.pause);
      const [first] = pauses;
      if (first !== undefined && !pauses.includes(undefined)) {
        const afterMs = Math.min(longestPauseMs, ...pauses.map((pause) => pause?.leftMs ?? 0));
        return { kind: "unanswered", reason: first.reason, afterMs };
      }
      await this.#change.promise;
    }
    return abortedAttempt;
  }

  /** Takes a place of the bind with the fewest messages under way. */
  #freePlace(): Place | undefined {
    const free = this.#binds.filter(({ canSubmit, placesTaken, bind }) => {
      return canSubmit && bind.connection !== undefined && placesTaken < this.#window;
    });
    const [kept] = free.sort((one, other) => one.placesTaken - other.placesTaken);
    const connection = kept?.bind.connection;
    if (kept === undefined || connection === undefined) {
      return undefined;
    }
    kept.placesTaken += 1;
    return {
      connection,
      release: () => {
        kept.placesTaken -= 1;
        this.#wakeWaiters();
      },
    };
  }

  #wakeWaiters(): void {
    const { resolve } = this.#change;
    this.#change = Promise.withResolvers<void>();
    resolve();
  }
}
