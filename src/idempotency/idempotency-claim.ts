import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { createContextKey, type HandlerContext } from "@connectrpc/connect";
import type { Keyring } from "../crypto/keyring.ts";
import type { Database, Queryable } from "../database/database.ts";
import { AppError } from "../errors.ts";
import { completeSlot, type IdempotencySlot } from "./answer-store.ts";
import { sealAnswer } from "./sealed-answer.ts";

/** The claim of a call with an idempotency key, while it runs. */
export const idempotencyClaimKey = createContextKey<IdempotencyClaim | undefined>(undefined, {
  description: "idempotency claim",
});

/**
 * The right of a call to store the answer for its idempotency key. An operation that stores the answer in the transaction of its
 * effect (`storeAnswer`, `commitWithAnswer`) has its effect exactly once, even if the server crashes. For other operations the
 * answer is stored when the call returns.
 */
export class IdempotencyClaim {
  readonly slot: IdempotencySlot;
  readonly claimId: string;
  readonly #keyring: Keyring;
  #isCompleted = false;

  constructor(keyring: Keyring, slot: IdempotencySlot, claimId: string) {
    this.#keyring = keyring;
    this.slot = slot;
    this.claimId = claimId;
  }

  /** Whether the operation has stored the answer itself. */
  get isCompleted(): boolean {
    return this.#isCompleted;
  }

  /**
   * Stores the answer. Call it last in the transaction of the effect: it throws `idempotency_in_progress`, which rolls the
   * effect back, if the claim has expired and another call took it over.
   */
  async complete<O extends DescMessage>(
    transaction: Queryable,
    schema: O,
    response: MessageInitShape<O>,
  ): Promise<void> {
    const answer = { kind: "message", message: create(schema, response) } as const;
    const sealed = sealAnswer(this.#keyring, this.slot, schema, answer);
    if (!(await completeSlot(transaction, this.slot, this.claimId, sealed))) {
      throw claimLost();
    }
    this.#isCompleted = true;
  }
}

/** The error of a call whose key another call has claimed. */
export function claimLost(): AppError {
  return new AppError("idempotency_in_progress", "Another request with this Idempotency-Key is being processed.");
}

/**
 * Returns a function that an operation with a transaction of its own calls last in it: it stores the answer, made of the outcome.
 *
 * ```ts
 * const store = storeAnswer(context, CreateApiKeyResponseSchema, createdKeyMessage);
 * return createdKeyMessage(await createApiKey(deps, caller, input, store));
 * ```
 */
export function storeAnswer<O extends DescMessage, T>(
  context: Pick<HandlerContext, "values">,
  schema: O,
  answerOf: (outcome: T) => MessageInitShape<O>,
): (transaction: Queryable, outcome: T) => Promise<void> {
  const claim = context.values.get(idempotencyClaimKey);
  return async (transaction, outcome) => claim?.complete(transaction, schema, answerOf(outcome));
}

/**
 * Runs `work`, whose result is the answer of the call. With an idempotency key, effect and answer are committed together; without
 * one, there is no transaction, and `work` gets the database itself. An error of `work` rolls its effect back: return an outcome
 * that must stay counted. Do what has to happen after the commit when this has resolved.
 */
export async function commitWithAnswer<O extends DescMessage>(
  context: Pick<HandlerContext, "values">,
  database: Pick<Database, "run" | "transaction">,
  schema: O,
  work: (queryable: Queryable) => Promise<MessageInitShape<O>>,
): Promise<MessageInitShape<O>> {
  const claim = context.values.get(idempotencyClaimKey);
  if (claim === undefined) {
    return work(database);
  }
  return database.transaction(async (transaction) => {
    const response = await work(transaction);
    await claim.complete(transaction, schema, response);
    return response;
  });
}
