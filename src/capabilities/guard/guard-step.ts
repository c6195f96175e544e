import { defineStep } from "../../database/shared-statement.ts";
import { array, integer, optional, text } from "../../database/statement.ts";
import { AppError, type GuardReason, invalidFields } from "../../errors.ts";
import type { Send, SendStep, sendParameters } from "../verify/define-send-step.ts";

/** What the step finds: `sendCode` reads the version. */
type GuardRow = { readonly guardVersion: number | null };

/** SQL that tells whether one of the ranges is blocked: a look-up by the primary key for each. */
export const isBlocked = (p: { readonly workspaceId: string; readonly ranges: string }) => `EXISTS (
      SELECT FROM unnest(${p.ranges}) AS asked (number_range), LATERAL (
        SELECT FROM guard_block
        WHERE workspace_id = ${p.workspaceId} AND number_range = asked.number_range AND ends_at > byond_now()
        OFFSET 0
      ) AS block
    )`;

/**
 * Lets a send pass if the settings that it was judged by are still in force, nothing was found wrong with it, and its range is not blocked: two
 * look-ups by primary keys. In shadow, only the version decides.
 */
export const guardStep: SendStep = defineStep<Send, typeof sendParameters>()({
  name: "guard",
  parameters: { version: integer, ranges: optional(array(text)) },
  isNeeded: ({ screening }) => screening !== undefined,
  parts: ({ screening }) => [
    ...(screening !== undefined && screening.ranges.length > 0 && !screening.isLater ? ["blocks"] : []),
    ...(screening?.isShadow === true ? ["shadow"] : []),
    ...(screening?.refused === undefined || screening.isShadow ? [] : ["refused"]),
  ],
  values: ({ screening }) => ({ version: screening?.settingsVersion ?? 0, ranges: screening?.ranges }),
  sql(p, { parts, reached }) {
    const looksUpBlocks = parts.includes("blocks");
    const refuses = [
      ...(looksUpBlocks && !parts.includes("shadow") ? ["NOT is_blocked"] : []),
      ...(parts.includes("refused") ? ["false"] : []),
    ];
    return {
      ctes: `guard AS MATERIALIZED (
        SELECT
          coalesce((SELECT version FROM guard_setting WHERE workspace_id = ${p.workspaceId}), 0) AS version
          ${looksUpBlocks ? `, ${isBlocked(p)} AS is_blocked` : ""}
        WHERE ${reached}
      )`,
      passed: `EXISTS (SELECT FROM guard WHERE ${[`version = ${p.version}`, ...refuses].join(" AND ")})`,
      columns: { guard_version: "(SELECT version FROM guard)" },
    };
  },
  // `sendCode` has dealt with another version: what was not refused before is blocked.
  refusal: (_: GuardRow, { screening }) => refusalFor(screening?.refused ?? "range_blocked", screening?.field),
});

/** The error for what the guard refuses by itself. Limits have errors of their own. */
function refusalFor(reason: GuardReason, field = "recipient"): AppError {
  const problem = numberProblems[reason];
  if (problem !== undefined) {
    const { message, details } = invalidFields({ [field]: problem });
    return new AppError("validation_error", message, { ...details, reason });
  }
  const recipient = field === "recipient" ? "this recipient" : "the recipient of the fallback";
  return new AppError("recipient_blocked", `No code is sent to ${recipient}: ${blockedBecause[reason]}.`, { reason });
}

const numberProblems: Partial<Readonly<Record<GuardReason, string>>> = {
  premium_rate: "must not be a premium-rate or satellite number",
  shared_cost: "must not be a shared-cost or international freephone number",
  invalid_number: "must be a number of its country's numbering plan",
};

const blockedBecause: Partial<Readonly<Record<GuardReason, string>>> = {
  country_not_allowed: "its country is not allowed",
  range_blocked: "hardly any code that was sent to numbers like this one was entered",
  vetoed: "the workspace's hook refused it",
};
