import type { Clock } from "../../../clock.ts";
import type { Keyring } from "../../../crypto/keyring.ts";
import { activeSpan, inSpan } from "../../../observe/active-span.ts";
import type { CustomerAnswer, CustomerPost, PostToCustomer } from "../../../outgoing/post-to-customer.ts";
import { deliveryHeaders } from "../../../outgoing/webhook-signature.ts";
import type { Send } from "../../verify/define-send-step.ts";
import { type GuardHook, hookSecret } from "./guard-hook.ts";
import { HookPlaces } from "./hook-places.ts";

/** The send that a hook is asked about. */
type AskedSend = Pick<Send, "workspaceId" | "verificationId" | "mode" | "channel" | "recipient" | "endUser">;

interface Dependencies {
  readonly keyring: Keyring;
  readonly clock: Pick<Clock, "now">;
  readonly post: PostToCustomer;
  /** How long a place and the answer may take together. */
  readonly timeoutMs: number;
  readonly onFailure: (workspaceId: string, reason: string) => void;
}

type HookAnswer = { readonly allows: boolean } | { readonly failure: string };

/**
 * Asks the hooks of workspaces whether a code may be sent: an HTTP POST, signed as deliveries of webhooks are. Status 204 allows it, and so does
 * status 200 with `{"allow": true}`; `{"allow": false}` vetoes it. Whatever else happens is a failure: also an answer that comes too late.
 */
export class HookAsker {
  readonly #deps: Dependencies;
  readonly #places = new HookPlaces();

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Whether the send is vetoed. Never rejects. */
  async isVetoed(hook: GuardHook, send: AskedSend): Promise<boolean> {
    const { workspaceId } = send;
    const answer = await this.#ask(hook, send, AbortSignal.timeout(this.#deps.timeoutMs));
    if ("allows" in answer) {
      return !answer.allows;
    }
    this.#deps.onFailure(workspaceId, answer.failure);
    return hook.onFailure === "refuse";
  }

  async #ask({ url, secretSealed }: GuardHook, send: AskedSend, signal: AbortSignal): Promise<HookAnswer> {
    const { keyring, clock, post, timeoutMs } = this.#deps;
    const { workspaceId, verificationId: id } = send;
    const secret = hookSecret(keyring, workspaceId, secretSealed);
    if (secret === undefined) {
      return { failure: "the master secret that its secret is sealed with is not known" };
    }
    if (!(await this.#places.take(workspaceId, signal))) {
      return { failure: `so many answers of it were waited for that it was not asked within ${timeoutMs} ms` };
    }
    try {
      const body = questionOf(send);
      const headers = deliveryHeaders([secret], { id, body, now: clock.now() });
      const answer = await postInSpan(post, { url, headers, body: Buffer.from(body), signal });
      return answer.kind === "unanswered" && signal.aborted
        ? { failure: `no answer within ${timeoutMs} ms` }
        : readAnswer(answer);
    } finally {
      this.#places.release(workspaceId);
    }
  }
}

/**
 * Asks as a span of the call that waits for the answer. A hook that sends traces of its own continues the trace: it is told the span, and
 * nothing else of it. Neither the hook's URL nor its host is an attribute: customers put tokens into both.
 */
async function postInSpan(post: PostToCustomer, question: CustomerPost): Promise<CustomerAnswer> {
  const description = { name: "POST", kind: "client", attributes: { "http.request.method": "POST" } } as const;
  return inSpan(description, async () => {
    const span = activeSpan();
    if (span === undefined) {
      return post(question);
    }
    const answer = await post({ ...question, headers: { ...question.headers, traceparent: span.traceParent } });
    span.set({ "http.response.status_code": answer.kind === "answered" ? answer.status : undefined });
    return answer;
  });
}

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

function readAnswer(answer: CustomerAnswer): HookAnswer {
  if (answer.kind === "unanswered") {
    return { failure: answer.reason };
  }
  const { status, body } = answer;
  if (status === 204) {
    return { allows: true };
  }
  if (status !== 200) {
    return { failure: `status ${status}` };
  }
  const allows = readAllow(body);
  return allows === undefined ? { failure: 'an answer without {"allow": true} or {"allow": false}' } : { allows };
}

function readAllow(text: string): boolean | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === "object" && answer !== null && "allow" in answer && typeof answer.allow === "boolean"
      ? answer.allow
      : undefined;
  } catch {
    return undefined;
  }
}
