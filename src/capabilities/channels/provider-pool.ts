import type { Clock } from "../../clock.ts";
import { LruMap } from "../../lru-map.ts";
import type { Logger } from "../../observe/log.ts";
import { Circuit } from "../../outbox/circuit.ts";
import type { SendOptions, SendResult } from "../../outbox/send-result.ts";
import type { Channel, CodeMessage } from "./outgoing-message.ts";
import type { Provider } from "./provider-kind.ts";

export interface PoolProvider {
  readonly provider: Provider;
  /** Messages that it is given at the same time. */
  readonly concurrency: number;
}

interface PoolOptions {
  /** For the log. */
  readonly channel: string;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly logger: Logger;
}

interface Member extends PoolProvider {
  readonly circuit: Circuit;
  active: number;
}

/** What is known of a message that is being tried again. */
interface Attempts {
  /** They failed, and come after the others. */
  readonly failed: Set<Member>;
  /** They never take this message. */
  readonly refused: Set<Member>;
}

/** Messages that are remembered. Of one that is forgotten the first provider is tried again. */
const rememberedMessages = 10_000;

/**
 * Several providers as one channel, in order of preference. A message goes to the first one that is not paused, has a free place and has
 * not failed with this message before; if there is none with a free place, it waits for one.
 *
 * Each has a circuit of its own. The lane's circuit hears only that all are paused, and then pauses for as long as the shortest of their
 * pauses; otherwise a failure of one does not count for the lane (`unknown`), and the message is due again at once.
 */
export class ProviderPool implements Channel {
  /** Results name the provider. */
  readonly name = undefined;
  readonly #members: readonly Member[];
  readonly #options: PoolOptions;
  readonly #attempts = new LruMap<string, Attempts>(rememberedMessages);
  readonly #waiting = new Set<() => void>();

  constructor(providers: readonly PoolProvider[], options: PoolOptions) {
    const { clock } = options;
    this.#options = options;
    this.#members = providers.map((provider) => ({
      ...provider,
      circuit: new Circuit(() => clock.monotonicMs()),
      active: 0,
    }));
  }

  async send(message: CodeMessage, options: SendOptions): Promise<SendResult> {
    return { ...(await this.#send(message, options)), logsPauses: true };
  }

  async #send(message: CodeMessage, options: SendOptions): Promise<SendResult> {
    const known = this.#attempts.get(options.idempotencyKey);
    const attempts = known ?? { failed: new Set<Member>(), refused: new Set<Member>() };
    const member = await this.#takePlace(attempts, options.signal);
    if (member === "none") {
      return { kind: "retry", reason: "no provider had a place for the message in time", provider: "unknown" };
    }
    if (member === "paused") {
      return this.#allPaused("every provider is paused", attempts);
    }
    try {
      const result = await member.provider.send(message, options);
      const outcome = this.#conclude(member, result, attempts);
      if (outcome.kind === "retry") {
        this.#attempts.set(options.idempotencyKey, attempts);
      } else if (known !== undefined) {
        this.#attempts.delete(options.idempotencyKey);
      }
      const { mayBeSent } = result;
      return { ...outcome, providerName: member.provider.name, ...(mayBeSent && { mayBeSent }) };
    } finally {
      member.active -= 1;
      this.#wake();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map(({ provider }) => provider.close?.()));
  }

  /** "paused": all that may take the message are paused. "none": the attempt ended before there was a place. */
  async #takePlace({ failed, refused }: Attempts, signal: AbortSignal): Promise<Member | "paused" | "none"> {
    while (!signal.aborted) {
      const open = this.#members.filter(
        (member) => !refused.has(member) && member.circuit.places(member.concurrency) > 0,
      );
      if (open.length === 0) {
        return "paused";
      }
      const fresh = open.filter((member) => !failed.has(member));
      const free = (fresh.length > 0 ? fresh : open).find(
        (member) => member.active < member.circuit.places(member.concurrency),
      );
      if (free !== undefined) {
        free.active += 1;
        return free;
      }
      await this.#placeOrEnd(signal);
    }
    return "none";
  }

  /** Resolves when a place may have become free, or the attempt has ended. */
  async #placeOrEnd(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const wake = () => resolve(undefined);
    this.#waiting.add(wake);
    signal.addEventListener("abort", wake);
    await promise;
    this.#waiting.delete(wake);
    signal.removeEventListener("abort", wake);
  }

  #wake(): void {
    for (const wake of this.#waiting) {
      wake();
    }
  }

  /** Reports an outcome to the provider's circuit, and says what it means for the message and the lane. */
  #conclude(member: Member, result: SendResult, attempts: Attempts): SendResult {
    if (result.kind === "retry" && result.provider === "fails") {
      this.#pause(member, result);
      attempts.failed.add(member);
      return this.#afterFailure(result.reason, attempts);
    }
    const isAnswered = result.kind === "sent" || (result.kind !== "withdrawn" && result.provider === "works");
    if (isAnswered && member.circuit.succeeded()) {
      this.#options.logger.info("provider_resumed", { lane: this.#options.channel, provider: member.provider.name });
    }
    if (result.kind === "failed" && result.elsewhere === true) {
      attempts.refused.add(member);
      const isRefusedByAll = this.#members.every((each) => attempts.refused.has(each));
      return isRefusedByAll ? result : { ...this.#afterFailure(result.reason, attempts), provider: "works" };
    }
    return result;
  }

  #pause(member: Member, { reason, afterMs }: { readonly reason: string; readonly afterMs?: number }): void {
    const pauseMs = member.circuit.failed(afterMs);
    if (pauseMs !== undefined) {
      const { channel: lane, logger } = this.#options;
      logger.warn("provider_paused", { lane, provider: member.provider.name, pause_ms: pauseMs, reason });
    }
  }

  /** The message is due again: at once if there is a provider that has not been tried. */
  #afterFailure(reason: string, attempts: Attempts): SendResult & { readonly kind: "retry" } {
    const { failed, refused } = attempts;
    const open = this.#members.filter((each) => !refused.has(each) && each.circuit.pauseLeftMs === 0);
    if (open.length === 0) {
      return this.#allPaused(`${reason}; every provider is paused`, attempts);
    }
    if (open.some((each) => !failed.has(each))) {
      return { kind: "retry", reason, provider: "unknown", afterMs: 0 };
    }
    // All have failed: the next round begins with the first one again, after the usual back-off.
    failed.clear();
    return { kind: "retry", reason, provider: "unknown" };
  }

  #allPaused(reason: string, { refused }: Attempts): SendResult & { readonly kind: "retry" } {
    const pauses = this.#members.filter((member) => !refused.has(member)).map(({ circuit }) => circuit.pauseLeftMs);
    const afterMs = Math.ceil(Math.min(...pauses));
    // Other messages may go to those that refused this one.
    return { kind: "retry", reason, provider: refused.size === 0 ? "fails" : "unknown", afterMs };
  }
}
