import { defineStep } from "../../../database/shared-statement.ts";
import { text } from "../../../database/statement.ts";
import type { Send, sendParameters } from "../define-send-step.ts";

/** A start whose recipient has a fixed code. */
interface FixedCodeSend extends Send {
  readonly fixedCodeId?: string;
}

/**
 * Holds the fixed code until the commit, so that none is started after it was deleted. A run does not pass if it is deleted or has
 * ended: there is nothing to do then, and the recipient gets a code like any other.
 */
export const holdFixedCode = defineStep<FixedCodeSend, typeof sendParameters>()({
  name: "fixed_code",
  parameters: { heldFixedCodeId: text },
  values: ({ fixedCodeId }) => ({ heldFixedCodeId: fixedCodeId ?? "" }),
  sql: (p, { reached }) => ({
    ctes: `fixed_code_held AS (
      SELECT id FROM fixed_code
      WHERE workspace_id = ${p.workspaceId} AND id = ${p.heldFixedCodeId} AND expires_at > byond_now() AND ${reached}
      FOR KEY SHARE
    )`,
    passed: "EXISTS (SELECT FROM fixed_code_held)",
    changes: ["fixed_code_held"],
  }),
  refusal: () => undefined,
});
