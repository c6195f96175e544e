import type { Finding } from "../../finding.ts";
import type { HttpAnswer } from "./http/http-post.ts";

/** What a look at a provider showed, without a message being sent. */
export type ProviderCheck = Omit<Finding, "about">;

/** How long a look may take. */
export const checkTimeoutMs = 10_000;

/**
 * What the answer to a harmless request with the credentials of a message means. `isRefusal` tells whether the provider does not take them,
 * where that shows in something else than 401 or 403.
 */
export function judgeAnswer(answer: HttpAnswer, isRefusal = (_body: unknown, _status: number) => false): ProviderCheck {
  if (answer.kind === "unanswered") {
    return {
      verdict: "fault",
      found: answer.reason,
      advice: "Look at names, routes and firewalls between here and there",
    };
  }
  const { status, body } = answer;
  if (status === 401 || status === 403 || isRefusal(body, status)) {
    return { verdict: "fault", found: `the provider refused the credentials (${status})`, advice: "Correct them" };
  }
  return status >= 200 && status < 300
    ? { verdict: "ok", found: "the provider takes the credentials" }
    : {
        verdict: "warning",
        found: `the provider answered ${status} to a question about the account`,
        advice: "Look at its status page, and try again",
      };
}
