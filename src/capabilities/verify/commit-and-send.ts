import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import type { Database } from "../../database/database.ts";
import { commitWithAnswer, idempotencyClaimKey } from "../../idempotency/idempotency-claim.ts";
import type { OutboxItem } from "../../outbox/outbox.ts";
import type { ResendDependencies } from "./resend-code.ts";
import { chargedOutside } from "./send-charges.ts";
import { type RefusedSend, withoutWaiting } from "./send-guard.ts";

export interface SendingDependencies extends ResendDependencies {
  readonly database: Database;
}

/**
 * Runs work that may queue messages as `commitWithAnswer` does, and dispatches the messages after the commit: if the commit
 * failed, their verification would not exist. What the guard refused is recorded after the rollback, which would undo it.
 */
export async function commitAndSend<O extends DescMessage>(
  deps: SendingDependencies,
  context: Pick<HandlerContext, "values">,
  schema: O,
  work: (deps: ResendDependencies) => Promise<MessageInitShape<O>>,
): Promise<MessageInitShape<O>> {
  if (context.values.get(idempotencyClaimKey) === undefined) {
    // Each statement commits by itself, so its message can be dispatched at once.
    return work(deps);
  }
  const queued: OutboxItem[] = [];
  const codes = { ...deps.codes, dispatch: (item: OutboxItem) => void queued.push(item) };
  const refused: RefusedSend[] = [];
  const recording = deps.guard && { ...deps.guard, record: async (send: RefusedSend) => void refused.push(send) };
  const response = await withoutWaiting(recording, (guard) =>
    chargedOutside(deps.charges, (charges) =>
      commitWithAnswer(context, deps.database, schema, (database) => {
        queued.length = 0;
        return work({ ...deps, database, codes, guard, charges });
      }),
    ),
  ).finally(async () => {
    for (const send of refused) {
      await deps.guard?.record(send);
    }
  });
  for (const item of queued) {
    deps.codes.dispatch(item);
  }
  return response;
}
