import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { createContextKey, type HandlerContext } from "@connectrpc/connect";
import type { Keyring } from "../crypto/keyring.ts";
import type { Database, Queryable } from "../database/database.ts";
import { AppError } from "../errors.ts";
import { completeSlot, type IdempotencySlot } from "./answer-store.ts";
import { sealAnswer } from "./sealed-answer.ts";

/** Set while a call with an idempotency key runs. */
export const idempotencyClaimKey = createContextKey<IdempotencyClaim | undefined>(undefined, {
  description: "idempotency claim",
});

/**
 * The right of a call to answer for its idempotency key. An implementation that stores the answer with its effect, in one
 * transaction, has it happen once whatever crashes; otherwise the answer is stored when the call returns.
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

  /** Whether the implementation has seen to the answer itself. */
  get isCompleted(): boolean {
    return this.#isCompleted;
  }

  /**
   * Stores the answer. Call it last in the transaction of the effect: it throws `idempotency_in_progress`, which rolls the
   * effect back, if the call took so long that its claim ran out and another call took it over.
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

/** What a call is told whose claim another one took over. */
export function claimLost(): AppError {
  return new AppError("idempotency_in_progress", "Another request with this Idempotency-Key is being processed.");
}

/**
 * For an operation with a transaction of its own, which calls the result last in it: stores the answer that is made of what
 * the operation came to.
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
 * Runs `work`, whose result is the answer of the call. With an idempotency key, effect and answer are committed together;
 * without one, there is no transaction, and `work` gets the database itself. What `work` throws rolls its effect back: what
 * must stay counted is to be returned. What is to happen after the commit belongs behind this function.
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
