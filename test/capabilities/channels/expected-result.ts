import { expect } from "vitest";
import type { ErrorMeaning } from "../../../src/capabilities/channels/error-meaning.ts";

/** The result of an attempt that was answered with an error of this effect. Its reason is in our words, and ends with `(detail)`. */
export function expectedResult(effect: ErrorMeaning["effect"], detail: string, afterMs?: number) {
  const reason = expect.stringMatching(new RegExp(`^[A-Za-z's,: ?-]+ \\(${detail}\\)$`));
  switch (effect) {
    case "retry-message":
    case "retry-provider": {
      const provider = effect === "retry-provider" ? "fails" : "works";
      return { kind: "retry", reason, provider, ...(afterMs === undefined ? {} : { afterMs }) };
    }
    case "undeliverable":
      return { kind: "failed", reason, provider: "works", undeliverable: true };
    case "fail-here":
      return { kind: "failed", reason, provider: "works", elsewhere: true };
    case "fail":
      return { kind: "failed", reason, provider: "works" };
  }
}
