import type { Awaitable } from "../../../awaitable.ts";
import type { Queryable } from "../../../database/database.ts";
import { array, statement, text } from "../../../database/statement.ts";
import type { Screening, Send } from "../../verify/define-send-step.ts";
import { isBlocked } from "../guard-step.ts";
import type { WorkspaceGuards } from "../workspace-guards.ts";
import type { HookAsker } from "./ask-hook.ts";

interface Dependencies {
  readonly database: Queryable;
  readonly guards: WorkspaceGuards;
  readonly hooks: HookAsker;
  /** Judges the send by what the server knows. */
  readonly screen: (send: Send) => Screening | undefined;
}

/**
 * The screening of a send, after the workspace's hook was asked if it has one: not about what its number or its range refuses, nor about a safe recipient. The
 * settings are read again before that, so that a URL that was removed or replaced learns of no recipient any more.
 */
export function withVeto(deps: Dependencies, send: Send): Awaitable<Screening | undefined> {
  const screening = deps.screen(send);
  return screening?.asksHook === true ? ask(deps, send) : screening;
}

async function ask({ database, guards, hooks, screen }: Dependencies, send: Send): Promise<Screening | undefined> {
  await guards.refresh(database, send.workspaceId);
  const screening = screen(send);
  const { hook } = guards.get(send.workspaceId);
  if (screening === undefined || !screening.asksHook || hook === undefined) {
    return screening;
  }
  if (await isOfBlockedRange(database, send.workspaceId, screening)) {
    // Also if the block ends before the statement of the send: it would let a code pass that nobody was asked about.
    return { ...screening, refused: "range_blocked" };
  }
  return (await hooks.isVetoed(hook, send)) ? { ...screening, refused: "vetoed" } : screening;
}

const findBlock = statement<{ isBlocked: boolean }>("find_block_before_hook")(
  { workspaceId: text, ranges: array(text) },
  (p) => `SELECT ${isBlocked(p)} AS is_blocked`,
);

async function isOfBlockedRange(database: Queryable, workspaceId: string, { ranges }: Screening): Promise<boolean> {
  if (ranges.length === 0) {
    return false;
  }
  const [row] = await database.run(findBlock, { workspaceId, ranges });
  return row?.isBlocked === true;
}
