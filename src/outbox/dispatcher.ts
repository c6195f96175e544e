import type { Clock } from "../clock.ts";
import type { Logger } from "../observe/log.ts";
import { backoffMs } from "./backoff.ts";
import { type HeldItem, Lane } from "./lane.ts";
import { claimMs, type OutboxItem, type OutboxSender } from "./outbox.ts";
import type { OutboxKey, OutboxStatus, OutboxStore } from "./outbox-store.ts";
import type { ProviderState, SendResult } from "./send-result.ts";
import type { Timers } from "./timers.ts";

export interface DispatcherOptions {
  readonly store: OutboxStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly senders: Readonly<Record<string, OutboxSender>>;
  readonly lanes: Readonly<Record<string, number>>;
  readonly timers: Timers;
  readonly random: () => number;
  /** Called when a lane has room and the outbox may hold more for it. */
  readonly onRoom: () => void;
}

const attemptTimeoutMs = 30_000;
const firstRecordRetryMs = 100;
const longestRecordRetryMs = 2_000;

/** Makes the attempts: lets the items that this server holds through their lanes, and records what became of each. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #lanes: ReadonlyMap<string, Lane>;
  readonly #held = new Map<string, HeldItem>();
  readonly #idleWaiters: (() => void)[] = [];
  #givingUp = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#lanes = new Map(
      Object.entries(options.lanes).map(([name, limit]) => [name, new Lane(name, limit, () => this.#nowMs())]),
    );
  }

  /** Takes an item that was claimed, with the time that it had left then. */
  take(item: OutboxItem, remainingMs: number): void {
    const lane = this.#lanes.get(item.lane);
    if (lane === undefined) {
      this.#options.logger.error("no such lane", { lane: item.lane, outbox_id: item.id });
      return;
    }
    const known = this.#held.get(keyOf(item));
    const claimEndsAtMs = item.claimedAtMs + claimMs;
    if (known !== undefined) {
      known.claim = item.claim;
      known.claimEndsAtMs = claimEndsAtMs;
      return;
    }
    const expiresAtMs = item.claimedAtMs + remainingMs;
    const { claim } = item;
    const held: HeldItem = { item, claim, claimEndsAtMs, expiresAtMs, attempt: undefined, hasWaited: claim > 1 };
    if (!this.#givingUp && lane.enqueue(held)) {
      this.#held.set(keyOf(item), held);
      this.#advance(lane);
      held.hasWaited ||= held.attempt === undefined;
    }
  }

  /** Begins whatever has a place by now. */
  advance(): void {
    for (const lane of this.#lanes.values()) {
      this.#advance(lane);
    }
  }

  /** How many items each lane could take now. */
  wanted(): Map<string, number> {
    const lanes = [...this.#lanes.values()].filter((lane) => lane.wanted > 0);
    return new Map(lanes.map((lane) => [lane.name, lane.wanted]));
  }

  /**
   * Tells the lanes what a claim brought, so that a full one asks again as soon as it has room. Call it when all the items
   * are taken: a lane that is still being filled has room, but not for more.
   */
  claimed(wanted: ReadonlyMap<string, number>, items: readonly OutboxItem[]): void {
    for (const [name, places] of wanted) {
      const lane = this.#lanes.get(name);
      if (lane !== undefined) {
        lane.mayHaveMore = items.filter((item) => item.lane === name).length >= places;
        this.#advance(lane);
      }
    }
  }

  /** The items with an attempt under way, recording it included. */
  underWay(): OutboxItem[] {
    return [...this.#held.values()].filter((held) => held.attempt !== undefined).map((held) => held.item);
  }

  /** Of the items asked for, these are still ours; the attempts at the others are aborted: they are not ours to make. */
  renewed(asked: readonly OutboxItem[], ours: readonly OutboxKey[], claimEndsAtMs: number): void {
    const kept = new Set(ours.map(keyOf));
    for (const item of asked) {
      const held = this.#held.get(keyOf(item));
      if (held !== undefined && kept.has(keyOf(item))) {
        held.claimEndsAtMs = claimEndsAtMs;
      } else {
        held?.attempt?.abort(
          new AttemptAborted("the message was withdrawn, or taken over by another server", "unknown"),
        );
      }
    }
  }

  get isIdle(): boolean {
    return this.#held.size === 0;
  }

  /** Resolves when nothing is under way and nothing waits. */
  async idle(): Promise<void> {
    if (!this.isIdle) {
      await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
    }
  }

  /** Begins nothing more and aborts what is under way. The items that had not begun. */
  giveUp(): OutboxItem[] {
    this.#givingUp = true;
    const waiting = [...this.#lanes.values()].flatMap((lane) => lane.clear());
    for (const held of waiting) {
      this.#forget(held);
    }
    for (const held of this.#held.values()) {
      held.attempt?.abort(new AttemptAborted("the server stopped", "unknown", 0));
    }
    return waiting.map((held) => held.item);
  }

  #advance(lane: Lane): void {
    for (const stale of lane.dropStale()) {
      this.#forget(stale);
    }
    for (let held = lane.next(); held !== undefined; held = lane.next()) {
      void this.#process(lane, held);
    }
    if (lane.mayHaveMore && lane.wanted > 0) {
      lane.mayHaveMore = false;
      this.#options.onRoom();
    }
  }

  async #process(lane: Lane, held: HeldItem): Promise<void> {
    const startedMs = this.#nowMs();
    if (startedMs >= held.expiresAtMs) {
      lane.leave();
      this.#forget(held);
      return;
    }
    const attempt = new AbortController();
    held.attempt = attempt;
    const result = await this.#send(held, attempt);
    const tookMs = this.#nowMs() - startedMs;
    this.#judge(lane, result);
    // It keeps its place until then: what is sent and not recorded will be sent again if the server dies.
    await this.#record(held, result, tookMs);
    lane.leave();
    this.#forget(held);
    this.#advance(lane);
  }

  async #send(held: HeldItem, attempt: AbortController): Promise<SendResult> {
    const { item } = held;
    const sender = this.#options.senders[item.kind];
    if (sender === undefined) {
      return { kind: "retry", reason: "this server cannot send this kind of message", provider: "unknown" };
    }
    const untilExpiryMs = held.expiresAtMs - this.#nowMs();
    const overtime =
      untilExpiryMs < attemptTimeoutMs
        ? new AttemptAborted("expired on its way", "unknown")
        : new AttemptAborted(`took longer than ${attemptTimeoutMs / 1_000} s`, "fails");
    const cancelTimeout = this.#options.timers.after(Math.min(untilExpiryMs, attemptTimeoutMs), () =>
      attempt.abort(overtime),
    );
    try {
      const result = await sender.send(item, attempt.signal, held.hasWaited);
      return result.kind === "retry" && attempt.signal.reason instanceof AttemptAborted
        ? attempt.signal.reason.result
        : result;
    } catch (error) {
      this.#options.logger.error("sender failed", { ...describeItem(item), error });
      return { kind: "retry", reason: "internal error", provider: "unknown" };
    } finally {
      cancelTimeout();
    }
  }

  /** Lets the circuit know how the provider did. An outcome that tells nothing of it leaves a pause, and a trial, as they are. */
  #judge(lane: Lane, result: SendResult): void {
    if (result.kind === "retry" && result.provider === "fails") {
      const pauseMs = lane.circuit.failed(result.afterMs);
      if (pauseMs !== undefined) {
        this.#options.logger.warn("provider paused", { lane: lane.name, pause_ms: pauseMs, reason: result.reason });
      }
      return;
    }
    const isAnswered = result.kind === "sent" || (result.kind !== "withdrawn" && result.provider === "works");
    if (isAnswered && lane.circuit.succeeded()) {
      this.#options.logger.info("provider works again", { lane: lane.name });
    }
  }

  /** Records an outcome, however often it takes: while the database is away, the message must not be sent again. */
  async #record(held: HeldItem, result: SendResult, tookMs: number): Promise<void> {
    const { item } = held;
    const askedMs = result.kind === "retry" ? result.afterMs : undefined;
    const retryAfterMs = askedMs ?? backoffMs(item.attempts + 1, this.#options.random);
    for (let waitMs = firstRecordRetryMs; ; waitMs = Math.min(waitMs * 2, longestRecordRetryMs)) {
      try {
        const status = await this.#options.store.record({ item, claim: held.claim, result, retryAfterMs, tookMs });
        this.#report(item, result, status);
        return;
      } catch (error) {
        const isLast = this.#givingUp || this.#nowMs() >= held.expiresAtMs;
        if (isLast || waitMs === firstRecordRetryMs) {
          const problem = { ...describeItem(item), outcome: result.kind, error };
          this.#options.logger.error(isLast ? "delivery not recorded" : "delivery not recorded yet", problem);
        }
        if (isLast) {
          return;
        }
      }
      await new Promise<void>((resolve) => this.#options.timers.after(waitMs, resolve));
    }
  }

  #report(item: OutboxItem, result: SendResult, status: OutboxStatus | undefined): void {
    if (result.kind === "sent" || result.kind === "withdrawn") {
      return;
    }
    const gone = status === "failed" || status === "expired";
    this.#options.logger.warn(gone ? "message not delivered" : "delivery attempt failed", {
      ...describeItem(item),
      attempt: item.attempts + 1,
      reason: result.reason,
      status: status ?? "taken over",
    });
  }

  #forget(held: HeldItem): void {
    this.#held.delete(keyOf(held.item));
    if (this.isIdle) {
      for (const resolve of this.#idleWaiters.splice(0)) {
        resolve();
      }
    }
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }
}

/** Why an attempt was aborted, and what that makes of it. */
class AttemptAborted extends Error {
  override readonly name = "AttemptAborted";
  readonly result: SendResult;

  constructor(reason: string, provider: ProviderState, afterMs?: number) {
    super(reason);
    this.result = { kind: "retry", reason, provider, ...(afterMs === undefined ? {} : { afterMs }) };
  }
}

function keyOf(key: OutboxKey): string {
  return `${key.workspaceId}/${key.id}`;
}

function describeItem(item: OutboxItem) {
  return { outbox_id: item.id, subject_id: item.subjectId, kind: item.kind, lane: item.lane };
}
