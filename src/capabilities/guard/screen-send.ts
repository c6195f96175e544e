import type { Mode } from "../../access/caller.ts";
import type { GuardReason } from "../../errors.ts";
import { countryRange, numberRange } from "../../text/number-range.ts";
import type { PhoneNumber } from "../../text/numbering-plans.ts";
import { isSandboxNumber } from "../channels/sandbox-recipients.ts";
import type { OriginLimit, Screening, Send } from "../verify/define-send-step.ts";
import type { GuardMode } from "./guard-settings.ts";
import { judgeNumber } from "./judge-number.ts";
import { safeKey, type WorkspaceGuard } from "./workspace-guards.ts";

/**
 * Judges a send by what is known before its statement: by its number, or else by the one that a step of its fallback goes to. Undefined: it is not
 * judged, because nothing is sent, there is no phone number, or the server sends the code for one of its own accounts.
 */
export function screenSend(
  send: Pick<
    Send,
    "workspaceId" | "mode" | "channel" | "recipient" | "recipientField" | "message" | "exactIndexes" | "laterToPhone"
  >,
  guardOf: (workspaceId: string) => WorkspaceGuard,
  serverMode: GuardMode,
): Screening | undefined {
  const { workspaceId, mode, message } = send;
  const isLater = send.recipient.number === undefined;
  const judgedSend = isLater ? send.laterToPhone : send;
  const number = judgedSend?.recipient.number;
  if (
    judgedSend === undefined ||
    number === undefined ||
    message === undefined ||
    workspaceId.startsWith("ws_byond/")
  ) {
    return undefined;
  }
  const { channel, recipientField: field = "recipient", exactIndexes } = judgedSend;
  const guard = guardOf(workspaceId);
  const guardMode = guard.mode ?? serverMode;
  const country = number.country ?? null;
  const range = numberRange(number.number);
  const free: Screening = {
    channel,
    field,
    isLater,
    settingsVersion: guard.version,
    refused: undefined,
    counted: undefined,
    isShadow: guardMode === "shadow",
    ranges: [],
    limits: [],
    asksHook: false,
    sharesRecipientLimit: !isLater && mode === "live" && guardMode === "enforce" && guard.sharesRecipientLimit,
    country,
    numberRange: range,
  };
  if (guardMode === "off" || isSafe({ mode, exactIndexes }, number, guard)) {
    return free;
  }
  const reason = reasonOf(number, mode, guard);
  const isOnlyCounted = reason === "invalid_number" && !guard.refuseInvalidNumbers;
  // A start to a number whose country is not allowed takes the mail of its fallback, whatever comes after that.
  const isPassedOver = reason === "country_not_allowed" && isLater && field === "recipient";
  const refused = isOnlyCounted || isPassedOver ? undefined : reason;
  const judged = {
    ...free,
    refused,
    // It is counted when the number gets the code.
    counted: isOnlyCounted && !isLater ? reason : undefined,
    asksHook: !isLater && guard.hook !== undefined && refused === undefined,
  };
  return mode === "test"
    ? judged
    : {
        ...judged,
        ranges: [range, countryRange(number.number)],
        limits: isLater ? [] : limitsOf(guard, guardMode, country ?? number.countryCallingCode, range),
      };
}

/** The documented recipients of the sandbox have the outcomes that are said of them. */
function reasonOf(number: PhoneNumber, mode: Mode, guard: WorkspaceGuard): GuardReason | undefined {
  const reason = judgeNumber(number, guard);
  return mode === "test" && isSandboxNumber(number.number) && reason !== "country_not_allowed" ? undefined : reason;
}

function isSafe(
  { mode, exactIndexes }: Pick<Send, "mode" | "exactIndexes">,
  { number: e164 }: PhoneNumber,
  { safe }: WorkspaceGuard,
): boolean {
  if (safe.size === 0) {
    return false;
  }
  const prefixes = Array.from({ length: e164.length - 1 }, (_, digits) => e164.slice(0, digits + 1));
  return [...exactIndexes, ...prefixes].some((indexOrRange) => safe.has(safeKey(mode, indexOrRange)));
}

/** In shadow they have buckets of their own: what was only counted is not used up. */
function limitsOf(
  { sendsPerHourPerCountry, sendsPerHourPerRange }: WorkspaceGuard,
  guardMode: GuardMode,
  country: string,
  range: string,
): readonly OriginLimit[] {
  const limitOf = (
    bucket: "country" | "number_range",
    sends: number | null,
    key: string,
    reason: GuardReason,
    message: string,
  ): OriginLimit[] =>
    sends === null
      ? []
      : [
          {
            bucket,
            keys: [`guard:${guardMode}:${key}`],
            limit: { burst: sends, periodSeconds: 3_600 / sends },
            message,
            reason,
          },
        ];
  return [
    ...limitOf(
      "country",
      sendsPerHourPerCountry,
      `country:${country}`,
      "country_limit",
      "Too many codes to this country. Try again later.",
    ),
    ...limitOf(
      "number_range",
      sendsPerHourPerRange,
      `range:${range}`,
      "range_limit",
      "Too many codes to numbers that begin like this one. Try again later.",
    ),
  ];
}
