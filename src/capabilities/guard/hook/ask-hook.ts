import type { Clock } from "../../../clock.ts";
import type { Keyring } from "../../../crypto/keyring.ts";
import type { PostToCustomer } from "../../../outgoing/post-to-customer.ts";
import { deliveryHeaders } from "../../../outgoing/webhook-signature.ts";
import type { Send } from "../../verify/define-send-step.ts";
import { maxHookRequests } from "../guard.policy.ts";
import { type GuardHook, hookSecret } from "./guard-hook.ts";

/** The send that a hook is asked about. */
export type AskedSend = Pick<Send, "workspaceId" | "verificationId" | "mode" | "channel" | "recipient" | "endUser">;

interface Dependencies {
  readonly keyring: Keyring;
  readonly clock: Pick<Clock, "now">;
  /** With the time that a hook has. */
  readonly post: PostToCustomer;
}

/**
 * Asks the hooks of workspaces whether a code may be sent: an HTTP POST, signed as deliveries of webhooks are. Whatever is not a success with
 * `{"allow": true}` or `{"allow": false}` is a failure: also one that comes too late, and one that is not asked because too many answers are
 * waited for.
 */
export class HookAsker {
  readonly #deps: Dependencies;
  readonly #waiting = new Map<string, number>();
  #allWaiting = 0;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Whether the send is vetoed. Never rejects. */
  async isVetoed(hook: GuardHook, send: AskedSend): Promise<boolean> {
    const { workspaceId } = send;
    const waiting = this.#waiting.get(workspaceId) ?? 0;
    if (waiting >= maxHookRequests.ofWorkspace || this.#allWaiting >= maxHookRequests.ofServer) {
      return hook.onFailure === "refuse";
    }
    this.#waiting.set(workspaceId, waiting + 1);
    this.#allWaiting += 1;
    try {
      const allows = await this.#ask(hook, send);
      return allows === undefined ? hook.onFailure === "refuse" : !allows;
    } finally {
      this.#allWaiting -= 1;
      const left = (this.#waiting.get(workspaceId) ?? 1) - 1;
      if (left > 0) {
        this.#waiting.set(workspaceId, left);
      } else {
        this.#waiting.delete(workspaceId);
      }
    }
  }

  /** What the hook says. Undefined: nothing that counts. */
  async #ask({ url, secretSealed }: GuardHook, send: AskedSend): Promise<boolean | undefined> {
    const { keyring, clock, post } = this.#deps;
    const { workspaceId, verificationId: id } = send;
    const secret = hookSecret(keyring, workspaceId, secretSealed);
    if (secret === undefined) {
      return undefined;
    }
    const body = questionOf(send);
    const headers = deliveryHeaders([secret], { id, body, now: clock.now() });
    const answer = await post({ url, headers, body: Buffer.from(body), signal: neverAborted });
    return answer.kind === "answered" && answer.status >= 200 && answer.status < 300
      ? readAnswer(answer.body)
      : undefined;
  }
}

const neverAborted = new AbortController().signal;

function questionOf({ verificationId, mode, channel, recipient, endUser }: AskedSend): string {
  return JSON.stringify({
    verification_id: verificationId,
    mode,
    channel,
    recipient: recipient.address,
    country: recipient.number?.country ?? null,
    end_user_ip: endUser.addressKey ?? null,
    device_id: endUser.deviceId ?? null,
  });
}

function readAnswer(text: string): boolean | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === "object" && answer !== null && "allow" in answer && typeof answer.allow === "boolean"
      ? answer.allow
      : undefined;
  } catch {
    return undefined;
  }
}
