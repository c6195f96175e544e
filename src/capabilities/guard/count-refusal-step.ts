import { createId } from "../../crypto/ids.ts";
import { defineStep } from "../../database/shared-statement.ts";
import { array, double, integer, nullable, optional, text } from "../../database/statement.ts";
import { boundLimit, consumeToken } from "../../database/throttle.ts";
import type { Send, SendStep, sendParameters } from "../verify/define-send-step.ts";
import { insertRefusalEvent } from "./guard-refusal-event.ts";

/**
 * Records a send that takes place and would have been refused: in shadow, and for numbers that are only counted. In the statement of the send, so that
 * it is recorded if and only if the code is sent.
 */
export const countRefusalStep: SendStep = defineStep<Send, typeof sendParameters>()({
  name: "guard_count",
  parameters: {
    refusalId: text,
    channel: text,
    country: nullable(text),
    numberRange: text,
    reason: optional(text),
    countryKeys: optional(array(text)),
    countryBurst: optional(integer),
    countrySeconds: optional(double),
    rangeKeys: optional(array(text)),
    rangeBurst: optional(integer),
    rangeSeconds: optional(double),
  },
  isNeeded: (send) => partsOf(send).length > 0,
  parts: partsOf,
  values({ channel, screening }) {
    const country = screening?.limits.find(({ bucket }) => bucket === "country");
    const range = screening?.limits.find(({ bucket }) => bucket === "number_range");
    return {
      refusalId: createId("grf"),
      channel: screening?.channel ?? channel,
      country: screening?.country ?? null,
      numberRange: screening?.numberRange ?? "",
      reason: screening?.refused ?? screening?.counted,
      countryKeys: country?.keys,
      countryBurst: country?.limit.burst,
      countrySeconds: country?.limit.periodSeconds,
      rangeKeys: range?.keys,
      rangeBurst: range?.limit.burst,
      rangeSeconds: range?.limit.periodSeconds,
    };
  },
  sql(p, { parts }) {
    const { workspaceId } = p;
    const isBlocked = parts.includes("blocks") ? ["(SELECT is_blocked FROM guard)"] : [];
    const limits = [
      ...(parts.includes("country")
        ? [{ name: "country", keys: p.countryKeys, limit: boundLimit(p.countryBurst, p.countrySeconds) }]
        : []),
      ...(parts.includes("number_range")
        ? [{ name: "range", keys: p.rangeKeys, limit: boundLimit(p.rangeBurst, p.rangeSeconds) }]
        : []),
    ];
    const ctes: string[] = [];
    const changes: string[] = [];
    const whens = isBlocked.map((condition) => `WHEN ${condition} THEN 'range_blocked'`);
    let isFree = isBlocked.map((condition) => `NOT ${condition}`).join(" AND ") || "true";
    for (const { name, keys, limit } of limits) {
      const cte = `guard_${name}_token`;
      const from = `FROM sending, unnest(${keys}) AS key WHERE ${isFree}`;
      ctes.push(`${cte} AS (${consumeToken({ workspaceId, key: "key", limit, from })})`);
      changes.push(cte);
      whens.push(`WHEN NOT EXISTS (SELECT FROM ${cte}) THEN '${name}_limit'`);
      isFree = `EXISTS (SELECT FROM ${cte})`;
    }
    const known = parts.includes("reason") ? p.reason : "NULL";
    const reason = whens.length === 0 ? known : `CASE ${whens.join(" ")} ELSE ${known} END`;
    ctes.push(
      `guard_counted AS (${insertRefusalEvent({
        workspaceId,
        mode: p.mode,
        id: p.refusalId,
        createdAt: "sending.created_at",
        enforced: "false",
        reason: "found.reason",
        channel: p.channel,
        country: p.country,
        numberRange: p.numberRange,
        verificationId: p.id,
        from: `sending, LATERAL (SELECT ${reason} AS reason) AS found WHERE found.reason IS NOT NULL`,
      })})`,
    );
    return { ctes: ctes.join(", "), changes: [...changes, "guard_counted"] };
  },
});

function partsOf({ screening }: Send): string[] {
  if (screening === undefined) {
    return [];
  }
  const { isShadow, isLater, refused, counted, ranges, limits } = screening;
  if (refused !== undefined) {
    return isShadow ? ["reason"] : [];
  }
  // In shadow it is what would have refused the send, in the order in which it is judged.
  const looks =
    isShadow && !isLater ? [...(ranges.length > 0 ? ["blocks"] : []), ...limits.map(({ bucket }) => bucket)] : [];
  return counted === undefined ? looks : [...looks, "reason"];
}
