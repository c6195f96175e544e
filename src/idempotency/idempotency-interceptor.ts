import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { ContextValues, Interceptor, UnaryRequest, UnaryResponse } from "@connectrpc/connect";
import { callModeKey } from "../access/call-mode.ts";
import { type Caller, callerKey, type Mode } from "../access/caller.ts";
import { randomBase62 } from "../crypto/ids.ts";
import type { Keyring } from "../crypto/keyring.ts";
import { withinTime, withoutDeadline } from "../database/call-deadline.ts";
import type { Database } from "../database/database.ts";
import { AppError } from "../errors.ts";
import type { Logger } from "../observe/log.ts";
import { responseHeadersOf } from "../server/response-headers.ts";
import { claimSlot, completeSlot, type IdempotencySlot, releaseSlot } from "./answer-store.ts";
import { defaultClaimSeconds } from "./idempotency.policy.ts";
import { claimLost, IdempotencyClaim, idempotencyClaimKey } from "./idempotency-claim.ts";
import { readIdempotencyKey } from "./idempotency-key.ts";
import { type Answer, fingerprintsOf, isFinal, openAnswer, sealAnswer } from "./sealed-answer.ts";

export interface IdempotencyOptions {
  readonly database: Pick<Database, "run">;
  readonly keyring: Keyring;
  readonly logger: Logger;
  /**
   * Called before a repetition is answered, because the answer shows whether it is the same request, and could be used to guess
   * what that holds. An error that it throws is the answer instead.
   */
  readonly beforeComparison?: (repetition: Repetition) => Promise<void>;
  /**
   * Called before a stored answer is given again. If the server crashed that committed it, a revocation that was committed with it
   * may not be applied on every server yet.
   */
  readonly beforeReplay?: (method: DescMethod) => Promise<void>;
  /** How long a claim lasts. Default: `defaultClaimSeconds`. */
  readonly claimSeconds?: number;
}

/** A call with a key that was used before. */
export interface Repetition {
  readonly method: DescMethod;
  readonly caller: Caller;
  readonly values: ContextValues;
  readonly isSameRequest: boolean;
}

/** Whether calls of an RPC can change something. */
export function hasSideEffects(method: DescMethod): boolean {
  return method.idempotency !== IdempotencyLevel.NO_SIDE_EFFECTS;
}

/**
 * Makes calls with an `Idempotency-Key` safe to repeat for 24 hours: the first one is carried out, and repetitions get its answer,
 * with `Idempotent-Replayed: true`. While the first one runs, they get `idempotency_in_progress`; with another message,
 * `idempotency_key_reused`. Errors that may not occur the next time are not kept.
 *
 * Does nothing for calls without a caller (there is no workspace to keep the answer in) and for calls without side effects.
 *
 * It is the last interceptor: only requests that are authenticated, within their limits and valid reach it.
 */
export function createIdempotencyInterceptor(options: IdempotencyOptions): Interceptor {
  return (next) => (request) => {
    if (request.stream || !hasSideEffects(request.method)) {
      return next(request);
    }
    const caller = request.contextValues.get(callerKey);
    const key = readIdempotencyKey(request.header, request.contextValues);
    return caller === undefined || key === undefined ? next(request) : answerOnce(options, request, caller, key, next);
  };
}

async function answerOnce(
  options: IdempotencyOptions,
  request: UnaryRequest,
  caller: Caller,
  key: string,
  next: Parameters<Interceptor>[0],
): Promise<Awaited<ReturnType<Parameters<Interceptor>[0]>>> {
  const slot = slotOf(caller, request.contextValues.get(callModeKey), key);
  const claim = new IdempotencyClaim(options.keyring, slot, randomBase62(22));
  const outcome = await claimSlot(options.database, {
    slot,
    fingerprints: fingerprintsOf(options.keyring, slot, request.method, request.message),
    claimId: claim.claimId,
    claimSeconds: options.claimSeconds ?? defaultClaimSeconds,
  });
  if (outcome.kind !== "claimed") {
    const { method, contextValues: values } = request;
    const isSameRequest = outcome.kind !== "other-request";
    await options.beforeComparison?.({ method, caller, values, isSameRequest });
  }
  switch (outcome.kind) {
    case "claimed":
      request.contextValues.set(idempotencyClaimKey, claim);
      return carryOut(options, claim, request, next);
    case "answered":
      await withinTime(options.beforeReplay?.(request.method) ?? Promise.resolve());
      return replay(request, openAnswer(options.keyring, slot, request.method.output, outcome.answerSealed));
    case "other-request":
      throw keyReused("This Idempotency-Key was used for another request.");
    case "in-progress":
      throw claimLost();
  }
}

/**
 * A session has a realm of its own for each mode that it names: the same message for the other mode is another request. So has one in
 * a cookie: an answer with tokens is never given again to a page, which may not see them.
 */
function slotOf(caller: Caller, mode: Mode | undefined, key: string): IdempotencySlot {
  const { workspaceId } = caller;
  if (caller.kind === "key") {
    // Anybody can use a publishable key: it neither gets nor takes the answers of other keys.
    const realm = caller.origins === null ? caller.mode : `${caller.mode}:${caller.keyId}`;
    return { workspaceId, realm, key };
  }
  const realm = [caller.userId, ...(mode === undefined ? [] : [mode]), ...(caller.isInCookie ? ["cookie"] : [])];
  return { workspaceId, realm: realm.join(":"), key };
}

async function carryOut(
  options: IdempotencyOptions,
  claim: IdempotencyClaim,
  request: UnaryRequest,
  next: Parameters<Interceptor>[0],
) {
  try {
    const response = await next(request);
    if (!response.stream && !claim.isCompleted) {
      await withoutDeadline(() => keep(options, claim, request, { kind: "message", message: response.message }));
    }
    return response;
  } catch (error) {
    if (isFinal(error)) {
      await withoutDeadline(() => keep(options, claim, request, { kind: "error", error }));
    } else {
      // If the release takes too long, the claim expires by itself.
      await withinTime(withoutDeadline(() => release(options, claim))).catch(() => undefined);
    }
    throw error;
  }
}

/** Logs a failure: the caller gets its response even if that cannot be stored. The claim expires by itself. */
async function keep(
  options: IdempotencyOptions,
  claim: IdempotencyClaim,
  request: UnaryRequest,
  answer: Answer,
): Promise<void> {
  try {
    const sealed = sealAnswer(options.keyring, claim.slot, request.method.output, answer);
    await completeSlot(options.database, claim.slot, claim.claimId, sealed);
  } catch (error) {
    options.logger.warn("idempotent_response_not_stored", { error });
  }
}

/** Logs a failure: the claim expires by itself. */
async function release({ database, logger }: IdempotencyOptions, claim: IdempotencyClaim): Promise<void> {
  try {
    await releaseSlot(database, claim.slot, claim.claimId);
  } catch (error) {
    logger.warn("idempotency_release_failed", { error });
  }
}

function replay(request: UnaryRequest, answer: Answer | undefined): UnaryResponse {
  if (answer === undefined) {
    throw keyReused("The stored response of this Idempotency-Key can no longer be decrypted.");
  }
  const { header, trailer } = responseHeadersOf(request.contextValues);
  header.set("Idempotent-Replayed", "true");
  if (answer.kind === "error") {
    throw answer.error;
  }
  const { service, method } = request;
  return { stream: false, service, method, header, trailer, message: answer.message };
}

function keyReused(message: string): AppError {
  return new AppError("idempotency_key_reused", message);
}
