import type { Clock } from "../clock.ts";
import type { Logger } from "../observe/log.ts";
import type { Tracing } from "../observe/tracing.ts";
import type { OutboxStatus } from "./attempt-recorder.ts";
import { backoffMs } from "./backoff.ts";
import type { HeldItem, Lane } from "./lane.ts";
import { type GroupWants, type LaneGroup, LaneSet } from "./lane-set.ts";
import { attemptTimeoutMs, claimMs, minAttemptMs, recordingBackoff } from "./outbox.policy.ts";
import type { OutboxItem, OutboxSender } from "./outbox.ts";
import type { OutboxKey, OutboxStore, UnusedClaim } from "./outbox-store.ts";
import { sendInSpan } from "./send-in-span.ts";
import type { ProviderState, SendResult, Settled } from "./send-result.ts";
import type { Timers } from "./timers.ts";

export interface DispatcherOptions {
  readonly store: OutboxStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly senders: Readonly<Record<string, OutboxSender>>;
  readonly lanes: Readonly<Record<string, number>>;
  readonly laneGroups: Readonly<Record<string, LaneGroup>>;
  readonly timers: Timers;
  readonly random: () => number;
  /** Called when a lane has free places and the outbox may hold more messages for it. */
  readonly onRoom: () => void;
  /** Called when it is recorded that a message was sent, or will not be. */
  readonly onFinished: () => void;
  /** Undefined: attempts are not traced. */
  readonly tracing?: Tracing | undefined;
  /** Called after each attempt. It must not throw. */
  readonly onAttempt?: ((item: OutboxItem, result: AttemptOutcome, tookMs: number) => void) | undefined;
}

/** How an attempt ended, and with which provider it was made. */
export type AttemptOutcome = Pick<SendResult, "providerName"> & { readonly kind: (SendResult | Settled)["kind"] };

/**
 * Makes the attempts: moves the items that this server holds through their lanes, and records the outcome of each.
 *
 * States of a held item:
 *
 * - **waiting**: in the queue of its lane.
 * - **attempting**: it has a place in the lane, and its sender runs.
 * - **recording**: the attempt has ended, and its outcome is being written. The item keeps its place: a message that was sent
 *   and is not recorded is sent again if the server crashes, so that no more than the lane's width are at risk.
 *
 * Transitions:
 *
 * - `accept`: not held → waiting. A full queue drops the item. An item that is held already gets its newer claim; if it turns out that
 *   the claim is of the attempt after the one that is being recorded, it is accepted then.
 * - waiting → attempting: the lane has a place, by its width and its circuit.
 * - waiting → not held: its claim would expire during an attempt (`Lane.dropStale`), the message expires within `minAttemptMs`, or `abortAll`.
 * - attempting → recording: the sender settles; at the latest when the attempt is aborted: it timed out, the message expired, the
 *   claim was lost (`renewed`), or `abortAll`. That its message was ended meanwhile does not abort it.
 * - recording → not held: the outcome is written, or could not be written until the message expired or `abortAll`.
 *
 * The row of an item that is dropped stays pending: a poll, of this server or another one, claims it again. What was dropped, or ended meanwhile without
 * having been sent, is not under this server's claim any more (`takeUnused`).
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #lanes: LaneSet;
  readonly #held = new Map<string, HeldItem>();
  readonly #idleWaiters: (() => void)[] = [];
  #unused: UnusedClaim[] = [];
  #isAborting = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#lanes = new LaneSet(options.lanes, options.laneGroups, () => this.#nowMs());
  }

  /** Accepts an item that was claimed, and that had `remainingMs` until it expires then. */
  accept(item: OutboxItem, remainingMs: number): void {
    const lane = this.#lanes.find(item.lane);
    if (lane === undefined) {
      this.#options.logger.error("unknown_lane", { lane: item.lane, outbox_id: item.id });
      return;
    }
    const known = this.#held.get(keyOf(item));
    const claimEndsAtMs = item.claimedAtMs + claimMs;
    if (known !== undefined) {
      known.claim = item.claim;
      known.claimEndsAtMs = claimEndsAtMs;
      known.claimedAgain = () => this.accept(item, remainingMs);
      return;
    }
    const expiresAtMs = item.claimedAtMs + remainingMs;
    const { claim } = item;
    const held: HeldItem = {
      item,
      claim,
      claimEndsAtMs,
      expiresAtMs,
      hasWaited: claim > 1,
      attempt: undefined,
      claimedAgain: undefined,
    };
    if (!this.#isAborting && lane.enqueue(held)) {
      this.#held.set(keyOf(item), held);
      this.#advance(lane);
      held.hasWaited ||= held.attempt === undefined;
    } else {
      this.#unused.push(item);
    }
  }

  /** The claims that this server has no use for, since the last time: nothing was sent under them. */
  takeUnused(): readonly UnusedClaim[] {
    return this.#unused.splice(0);
  }

  /** They could not be given up. */
  keepUnused(claims: readonly UnusedClaim[]): void {
    this.#unused.push(...claims);
  }

  /** Begins the attempts that there are places for by now. */
  advance(): void {
    for (const lane of this.#lanes) {
      this.#advance(lane);
    }
  }

  /** How many items each lane outside groups could take now. */
  wanted(): Map<string, number> {
    return this.#lanes.wanted();
  }

  /** What the groups of lanes could take now. */
  groupsWanted(): GroupWants[] {
    return this.#lanes.groupsWanted();
  }

  /**
   * Tells the lanes what a poll claimed. A lane that got as many items as it wanted polls again as soon as it has a free place.
   * Call it when all the items are accepted.
   */
  claimed(wanted: ReadonlyMap<string, number>, items: readonly OutboxItem[]): void {
    for (const [name, places] of wanted) {
      const lane = this.#lanes.find(name);
      if (lane !== undefined) {
        lane.mayHaveMore = items.filter((item) => item.lane === name).length >= places;
        this.#advance(lane);
      }
    }
  }

  /** As `claimed`, for a group of lanes. If it got as many items as it has places, others of its lanes may have more, too. */
  claimedOfGroup({ known, placesEach, places }: GroupWants, items: readonly OutboxItem[]): void {
    const wanted = new Map(items.map(({ lane }) => [lane, known.get(lane) ?? placesEach]));
    this.claimed(items.length < places ? wanted : new Map([...wanted.keys()].map((lane) => [lane, 0])), items);
  }

  /** The items that are attempting or recording. */
  underWay(): OutboxItem[] {
    return [...this.#held.values()].filter((held) => held.attempt !== undefined).map((held) => held.item);
  }

  /** After a renewal of the claims of `asked`: `ours` are still this server's; the attempts at the others are aborted. */
  renewed(asked: readonly OutboxItem[], ours: readonly OutboxKey[], claimEndsAtMs: number): void {
    const kept = new Set(ours.map(keyOf));
    for (const item of asked) {
      const held = this.#held.get(keyOf(item));
      if (held !== undefined && kept.has(keyOf(item))) {
        held.claimEndsAtMs = claimEndsAtMs;
      } else {
        held?.attempt?.abort(new AttemptAborted("the message was deleted, or taken over by another server", "unknown"));
      }
    }
  }

  get isIdle(): boolean {
    return this.#held.size === 0;
  }

  /** Resolves when no item is held. */
  async idle(): Promise<void> {
    if (!this.isIdle) {
      await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
    }
  }

  /** Accepts and begins nothing more, and aborts the attempts. Returns how many items were waiting. */
  abortAll(): number {
    this.#isAborting = true;
    const waiting = [...this.#lanes].flatMap((lane) => lane.clear());
    for (const held of waiting) {
      this.#drop(held);
    }
    for (const held of this.#held.values()) {
      held.attempt?.abort(new AttemptAborted("the server stopped", "unknown", 0));
    }
    return waiting.length;
  }

  #advance(lane: Lane): void {
    for (let held = this.#next(lane); held !== undefined; held = this.#next(lane)) {
      void this.#attempt(lane, held);
    }
    if (lane.mayHaveMore && lane.wanted > 0) {
      lane.mayHaveMore = false;
      this.#options.onRoom();
    }
  }

  #next(lane: Lane): HeldItem | undefined {
    for (const stale of lane.dropStale()) {
      this.#drop(stale);
    }
    return lane.next();
  }

  async #attempt(lane: Lane, held: HeldItem): Promise<void> {
    const startedMs = this.#nowMs();
    if (held.expiresAtMs - startedMs < minAttemptMs) {
      lane.leave();
      this.#drop(held);
      return;
    }
    const attempt = new AbortController();
    held.attempt = attempt;
    const result = await this.#send(held, attempt);
    const tookMs = this.#nowMs() - startedMs;
    this.#options.onAttempt?.(held.item, result, tookMs);
    let isRepeated = false;
    if (result.kind === "settled") {
      this.#options.onFinished();
    } else {
      this.#reportToCircuit(lane, result);
      isRepeated = (await this.#record(held, result, tookMs)) === "pending";
    }
    lane.leave();
    this.#forget(held);
    if (isRepeated) {
      this.#repeat(held, result);
    }
    this.#advance(lane);
  }

  /** Of an item that is due again: a poll may have claimed it before this server knew that the last attempt was recorded. */
  #repeat({ claimedAgain }: HeldItem, result: SendResult | Settled): void {
    if (claimedAgain !== undefined) {
      claimedAgain();
    } else if (result.kind === "retry" && result.afterMs === 0 && !this.#isAborting) {
      this.#options.onRoom();
    }
  }

  async #send(held: HeldItem, attempt: AbortController): Promise<SendResult | Settled> {
    const { tracing } = this.#options;
    return tracing === undefined
      ? this.#sendNow(held, attempt)
      : sendInSpan(tracing, held.item, () => this.#sendNow(held, attempt));
  }

  async #sendNow(held: HeldItem, attempt: AbortController): Promise<SendResult | Settled> {
    const { item } = held;
    const sender = this.#options.senders[item.kind];
    if (sender === undefined) {
      return { kind: "retry", reason: "this server cannot send this kind of message", provider: "unknown" };
    }
    const untilExpiryMs = held.expiresAtMs - this.#nowMs();
    const cancelTimeout = this.#options.timers.after(Math.min(untilExpiryMs, attemptTimeoutMs), () =>
      attempt.abort(
        untilExpiryMs < attemptTimeoutMs
          ? new AttemptAborted("expired on its way", "unknown")
          : new AttemptAborted(`took longer than ${attemptTimeoutMs / 1_000} s`, "fails"),
      ),
    );
    try {
      const result = await sender.send(item, attempt.signal, held.hasWaited);
      if (result.kind !== "retry" || !(attempt.signal.reason instanceof AttemptAborted)) {
        return result;
      }
      const { mayBeSent, usage } = result;
      return { ...attempt.signal.reason.result, ...(mayBeSent && { mayBeSent }), ...(usage && { usage }) };
    } catch (error) {
      this.#options.logger.error("sender_failed", { ...describeItem(item), error });
      return { kind: "retry", reason: "internal error", provider: "unknown" };
    } finally {
      cancelTimeout();
    }
  }

  /** Reports the outcome to the circuit. One that shows nothing about the provider changes nothing. */
  #reportToCircuit(lane: Lane, result: SendResult): void {
    const isLogged = result.logsPauses !== true && !this.#lanes.isOfGroup(lane.name);
    if (result.kind === "retry" && result.provider === "fails") {
      const pauseMs = lane.circuit.failed(result.afterMs);
      if (pauseMs !== undefined && isLogged) {
        const { reason, providerName } = result;
        this.#options.logger.warn("provider_paused", {
          lane: lane.name,
          ...providerField(providerName),
          pause_ms: pauseMs,
          reason,
        });
      }
      return;
    }
    const isAnswered = result.kind === "sent" || (result.kind !== "withdrawn" && result.provider === "works");
    if (isAnswered && lane.circuit.succeeded() && isLogged) {
      this.#options.logger.info("provider_resumed", { lane: lane.name, ...providerField(result.providerName) });
    }
  }

  /** Records an outcome, and tries again while the database is unavailable: until it is recorded, the message may be sent again. */
  async #record(held: HeldItem, result: SendResult, tookMs: number): Promise<OutboxStatus | undefined> {
    const { item } = held;
    const askedMs = result.kind === "retry" ? result.afterMs : undefined;
    const retryAfterMs = askedMs ?? this.#backoffMs(item);
    for (let waitMs: number = recordingBackoff.firstMs; ; waitMs = Math.min(waitMs * 2, recordingBackoff.longestMs)) {
      try {
        held.claimedAgain = undefined;
        const { claim } = held;
        const status = await this.#options.store.record({ item, claim, result, retryAfterMs, tookMs });
        if (status === undefined && isUnsent(result)) {
          await this.#options.store.release([{ ...item, claim }]);
        }
        this.#logOutcome(item, result, status);
        if (status !== "pending") {
          this.#options.onFinished();
        }
        return status;
      } catch (error) {
        const isLast = this.#isAborting || this.#nowMs() >= held.expiresAtMs;
        if (isLast || waitMs === recordingBackoff.firstMs) {
          const problem = { ...describeItem(item), outcome: result.kind, error };
          this.#options.logger.error(isLast ? "delivery_record_failed" : "delivery_record_delayed", problem);
        }
        if (isLast) {
          return undefined;
        }
      }
      await new Promise<void>((resolve) => this.#options.timers.after(waitMs, resolve));
    }
  }

  #backoffMs({ kind, attempts }: OutboxItem): number {
    const ofKind = this.#options.senders[kind]?.backoffMs;
    return (ofKind ?? backoffMs)(attempts + 1, this.#options.random);
  }

  #logOutcome(item: OutboxItem, result: SendResult, status: OutboxStatus | undefined): void {
    if (result.kind === "sent" || result.kind === "withdrawn" || this.#lanes.isOfGroup(item.lane)) {
      return;
    }
    const isOver = status === "failed" || status === "expired";
    this.#options.logger.warn(isOver ? "message_not_delivered" : "delivery_attempt_failed", {
      ...describeItem(item),
      ...providerField(result.providerName),
      attempt: item.attempts + 1,
      reason: result.reason,
      status: status ?? "taken over",
    });
  }

  #drop(held: HeldItem): void {
    const { item, claim } = held;
    this.#unused.push({ workspaceId: item.workspaceId, id: item.id, claim });
    this.#forget(held);
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

/** Whether it is known that no provider has taken the message. */
function isUnsent(result: SendResult): boolean {
  return (
    result.mayBeSent !== true &&
    (result.kind === "withdrawn" ||
      result.kind === "failed" ||
      (result.kind === "retry" && result.provider !== "unknown"))
  );
}

/** Why an attempt was aborted, and the result that it counts as. */
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

function providerField(provider: string | undefined) {
  return provider === undefined ? {} : { provider };
}

function describeItem(item: OutboxItem) {
  return { outbox_id: item.id, subject_id: item.subjectId, kind: item.kind, lane: item.lane };
}
