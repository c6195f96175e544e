import type { Awaitable } from "../../../awaitable.ts";
import type { Queryable } from "../../../database/database.ts";
import type { Screening, Send } from "../../verify/define-send-step.ts";
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
 * The screening of a send, after the workspace's hook was asked if it has one: about what would be sent otherwise, unless the recipient is safe. The
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
  return (await hooks.isVetoed(hook, send)) ? vetoed(screening) : screening;
}

function vetoed(screening: Screening): Screening {
  return screening.isShadow
    ? { ...screening, counted: "vetoed" }
    : { ...screening, refused: "vetoed", counted: undefined };
}
