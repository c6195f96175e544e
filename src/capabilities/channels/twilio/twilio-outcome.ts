import type { SendResult } from "../../../outbox/send-result.ts";
import { type ErrorMeaning, resultOf } from "../error-meaning.ts";
import { field, type HttpAnswer, messageIdOf, unansweredResult } from "../http/http-post.ts";
import { twilioErrors } from "./twilio-errors.ts";

/** The result of an attempt, from the response to it. */
export function twilioOutcome(answer: HttpAnswer): SendResult {
  if (answer.kind === "unanswered") {
    return unansweredResult(answer);
  }
  const { status, body, retryAfterMs } = answer;
  const sid = messageIdOf(field(body, "sid"));
  if (status >= 200 && status < 300 && sid !== undefined) {
    return { kind: "sent", providerMessageId: sid };
  }
  const code = field(body, "code");
  const known = typeof code === "number" && Object.hasOwn(twilioErrors, code) ? twilioErrors[code] : undefined;
  const detail = typeof code === "number" ? `${status}, code ${code}` : String(status);
  return resultOf(known ?? meaningOfStatus(status), detail, retryAfterMs);
}

function meaningOfStatus(status: number): ErrorMeaning {
  if (status === 401 || status === 403) {
    return { reason: "Twilio refused the credentials", effect: "retry-provider" };
  }
  if (status === 429) {
    return { reason: "Twilio's rate limit is reached", effect: "retry-provider", afterMs: 2_000 };
  }
  if (status >= 400 && status < 500 && status !== 404 && status !== 408) {
    return { reason: "Twilio refused the request", effect: "fail-here" };
  }
  return status >= 500 || status === 408
    ? { reason: "Twilio is out of service", effect: "retry-provider" }
    : { reason: "Twilio's interface answered something unknown", effect: "retry-provider" };
}
