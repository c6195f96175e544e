import type { Awaitable } from "../../../awaitable.ts";
import type { Screening, Send } from "../../verify/define-send-step.ts";
import type { WorkspaceGuard } from "../workspace-guards.ts";
import type { HookAsker } from "./ask-hook.ts";

/** The screening of a send after the workspace's hook was asked. It is asked about what would be sent otherwise, unless the send is safe. */
export function withVeto(
  hooks: HookAsker,
  send: Send,
  screening: Screening | undefined,
  guardOf: (workspaceId: string) => WorkspaceGuard,
): Awaitable<Screening | undefined> {
  if (screening === undefined || !screening.asksHook) {
    return screening;
  }
  const { hook } = guardOf(send.workspaceId);
  return hook === undefined
    ? screening
    : hooks.isVetoed(hook, send).then((isVetoed) => (isVetoed ? vetoed(screening) : screening));
}

function vetoed(screening: Screening): Screening {
  return screening.isShadow
    ? { ...screening, counted: "vetoed" }
    : { ...screening, refused: "vetoed", counted: undefined };
}
