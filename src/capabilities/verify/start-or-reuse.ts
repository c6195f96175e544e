import { statement, text } from "../../database/statement.ts";
import { AppError } from "../../errors.ts";
import { approvalIndexes } from "./approval.ts";
import { refusalOfWay } from "./fallback/fallback-step.ts";
import { reuseParameters, toReuse } from "./insert-verification.ts";
import { planSends } from "./plan-sends.ts";
import { exactIndexes } from "./recipient.ts";
import { type ResendDependencies, type ResendInput, readPending, sendAgain } from "./resend-code.ts";
import {
  type StartedVerification,
  type StartInput,
  startUnlessPending,
  startVerification,
  type VerificationOwner,
} from "./start-verification.ts";

const findToReuse = statement<{ id: string | null }>("find_verification_to_reuse")(
  { workspaceId: text, mode: text, ...reuseParameters },
  (p) => `SELECT ${toReuse(p)} AS id`,
);

export interface StartOrReuseInput extends Omit<StartInput, "unlessPending"> {
  /** The limits by origin of a code that is sent again, given the end user. */
  readonly originLimitsOf: ResendInput["originLimitsOf"];
}

/** A start, or a verification whose code was sent again instead. */
export interface StartedOrReused extends StartedVerification {
  readonly isReused: boolean;
}

/** Verifications can end between being found and being used. Each time, a start is tried again. */
const maxTries = 3;

/**
 * Sends the code of the newest pending verification of this channel, recipient, metadata and payment again, if it has sends left. Otherwise starts one: the
 * statement of the start finds out which, under a lock, so that of two calls at the same moment one starts and the other uses what it
 * started. Throws as a start and a resend do.
 *
 * The guard's hook is asked before the statement of the start, and told which verification the code belongs to. So it is looked for before that where
 * there is a hook: one more look-up, and one question instead of two.
 *
 * A channel without a provider is not used again: it has no pending verification, unless a fallback was used in its place.
 */
export async function startOrReuse(
  deps: ResendDependencies,
  caller: VerificationOwner,
  input: StartOrReuseInput,
): Promise<StartedOrReused> {
  const canReuse = deps.codes.laneFor(input.channel, caller.mode) !== undefined;
  if (canReuse && deps.guard?.hasHook(caller.workspaceId) === true) {
    const reused = await reuse(deps, caller, input);
    if (reused !== undefined) {
      return reused;
    }
  }
  for (let tries = 0; canReuse && tries < maxTries; tries += 1) {
    const started = await startUnlessPending(deps, caller, { ...input, unlessPending: true });
    if (started !== undefined) {
      return { ...started, isReused: false };
    }
    const reused = await reuse(deps, caller, input);
    if (reused !== undefined) {
      return reused;
    }
  }
  return { ...(await startVerification(deps, caller, input)), isReused: false };
}

/** Sends the code of what is found, over the first way that can be used. Undefined: nothing is found, or it has ended meanwhile. */
async function reuse(
  deps: ResendDependencies,
  caller: VerificationOwner,
  input: StartOrReuseInput,
): Promise<StartedOrReused | undefined> {
  const { database, keyring, codes } = deps;
  const { workspaceId, mode } = caller;
  const { targets } = planSends(input);
  const [own] = targets;
  const [found] = await database.run(findToReuse, {
    workspaceId,
    mode,
    channel: input.channel,
    indexes: own === undefined ? [] : exactIndexes(keyring, own.recipient),
    metadata: JSON.stringify(input.metadata),
    knownSecrets: keyring.all.map(({ id }) => id),
    approvalIndexes: approvalIndexes(keyring, input.approval),
  });
  const id = found?.id ?? null;
  const [pending] = id === null ? [] : await database.run(readPending, { workspaceId, mode, id });
  if (id === null || pending === undefined) {
    return undefined;
  }
  let refusal: unknown;
  for (const { channel, recipient } of targets.filter((target) => codes.laneFor(target.channel, mode) !== undefined)) {
    try {
      const sent = await sendAgain(
        deps,
        caller,
        {
          verificationId: id,
          channel,
          recipient: recipient.address,
          endUser: input.endUser,
          originLimitsOf: input.originLimitsOf,
        },
        pending,
      );
      return sent && { id, status: "pending", expiresAt: sent.expiresAt, isReused: true };
    } catch (error) {
      if (error instanceof AppError && error.code === "send_limit_reached") {
        return undefined;
      }
      // What was found may have another recipient than the call names for this way.
      if (refusalOfWay(error) === undefined && !(error instanceof AppError && error.code === "validation_error")) {
        throw error;
      }
      refusal ??= error;
    }
  }
  throw refusal;
}
