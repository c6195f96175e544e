import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import type { Database } from "../../database/database.ts";
import { commitWithAnswer } from "../../idempotency/claim.ts";
import type { OutboxItem } from "../../outbox/outbox.ts";
import type { StartDependencies } from "./start-verification.ts";

export interface VerifyDependencies extends StartDependencies {
  readonly database: Database;
}

/**
 * Runs work that may queue messages, as `commitWithAnswer` does. The messages leave after the commit: one that was sent
 * before could be of a verification that does not exist.
 */
export async function commitAndSend<O extends DescMessage>(
  deps: VerifyDependencies,
  context: Pick<HandlerContext, "values">,
  schema: O,
  work: (deps: StartDependencies) => Promise<MessageInitShape<O>>,
): Promise<MessageInitShape<O>> {
  const queued: OutboxItem[] = [];
  const codes = { ...deps.codes, dispatch: (item: OutboxItem) => void queued.push(item) };
  const response = await commitWithAnswer(context, deps.database, schema, (database) =>
    work({ ...deps, database, codes }),
  );
  for (const item of queued) {
    deps.codes.dispatch(item);
  }
  return response;
}
