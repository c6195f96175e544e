import type { ErrorMeaning } from "../error-meaning.ts";
import { field } from "../http/http-post.ts";

const outage: ErrorMeaning = { reason: "Vonage is out of service", effect: "retry-provider" };
const tooFast: ErrorMeaning = { reason: "Vonage's rate limit is reached", effect: "retry-provider", afterMs: 1_000 };
const limitOfPeriod: ErrorMeaning = {
  reason: "Vonage's limit of messages is reached",
  effect: "retry-provider",
  afterMs: 60_000,
};
const refusedCredentials: ErrorMeaning = { reason: "Vonage refused the credentials", effect: "retry-provider" };
const blockedAccount: ErrorMeaning = { reason: "Vonage has blocked the account", effect: "retry-provider" };
const noCredit: ErrorMeaning = { reason: "the Vonage account has no credit", effect: "retry-provider" };
const notEnabled: ErrorMeaning = { reason: "the Vonage account may not send this", effect: "retry-provider" };
/** It may be because of the account or the sender. */
const badRequest: ErrorMeaning = { reason: "Vonage refused the request", effect: "fail-here" };
const badSender: ErrorMeaning = { reason: "Vonage refused the sender", effect: "fail-here" };
const filtered: ErrorMeaning = { reason: "the message was filtered", effect: "fail" };
const fraud: ErrorMeaning = { reason: "Vonage's fraud protection blocked the message", effect: "fail-here" };
const regulated: ErrorMeaning = {
  reason: "the message lacks what the country's regulation asks for",
  effect: "fail-here",
};
const noRoute: ErrorMeaning = { reason: "Vonage has no route to the recipient", effect: "fail-here" };
const invalidNumber: ErrorMeaning = { reason: "Vonage does not know the number", effect: "undeliverable" };
const blacklisted: ErrorMeaning = { reason: "the recipient is on a block list or opted out", effect: "undeliverable" };
const unreachable: ErrorMeaning = { reason: "the recipient cannot be reached", effect: "fail" };
const blockedByCarrier: ErrorMeaning = { reason: "the carrier blocked the message", effect: "fail" };

/**
 * Vonage, "API errors: Messages API". They are answers to a request, and the error of a status report. Vonage does not say
 * which HTTP status each comes with. Codes of other channels (Facebook, Viber, e-mail) are listed, because the table is one.
 */
const vonageMessageErrors: Readonly<Record<number, ErrorMeaning>> = {
  1000: tooFast,
  1010: badRequest,
  1020: badRequest,
  1021: badRequest,
  1022: badRequest,
  1030: outage,
  1040: badRequest,
  1050: blacklisted,
  1060: blockedAccount,
  1070: noCredit,
  1080: notEnabled,
  1090: { reason: "the message is too long", effect: "fail" },
  1100: outage,
  1120: badSender,
  1130: badRequest,
  1140: notEnabled,
  1150: badRequest,
  1160: { reason: "the recipient is not on the trial account's list", effect: "fail-here" },
  1170: invalidNumber,
  1180: { reason: "the recipient cannot be reached at present", effect: "retry-message" },
  1190: { reason: "the number is no longer in use", effect: "undeliverable" },
  1200: { reason: "the number was moved to another carrier, with an error", effect: "fail" },
  1210: filtered,
  1220: { reason: "the phone was busy", effect: "retry-message" },
  1230: { reason: "the carrier's network failed", effect: "retry-message" },
  1240: blacklisted,
  1241: { reason: "too many messages to this recipient", effect: "retry-message", afterMs: 10_000 },
  1242: { reason: "Vonage does not know the pool of numbers", effect: "retry-provider" },
  1250: noRoute,
  1251: noRoute,
  1260: unreachable,
  1270: { reason: "the carrier blocks this content for the recipient's age", effect: "fail" },
  1280: blockedByCarrier,
  1282: blockedByCarrier,
  1290: { reason: "the recipient's prepaid account has no credit", effect: "fail" },
  1300: { reason: "the number is not a user of the network", effect: "undeliverable" },
  1310: { reason: "the phone cannot receive this message", effect: "fail" },
  1320: { reason: "the message was sent before", effect: "fail" },
  1330: unreachable,
  1331: outage,
  1340: badRequest,
  1350: notEnabled,
  1360: { reason: "the message expired before it was delivered", effect: "fail" },
  1370: refusedCredentials,
  1380: badRequest,
  1381: badRequest,
  1382: badRequest,
  1400: badRequest,
  1410: badRequest,
  1420: badSender,
  1430: invalidNumber,
  1431: badRequest,
  1440: badRequest,
  1450: badRequest,
  1451: badRequest,
  1460: limitOfPeriod,
  1461: blockedByCarrier,
  1470: fraud,
  1472: { reason: "Vonage's burst protection limits the messages", effect: "retry-message", afterMs: 10_000 },
  1473: fraud,
  1474: fraud,
  1475: fraud,
  1476: badSender,
  1480: regulated,
  1481: regulated,
  1482: regulated,
  1483: regulated,
  1484: regulated,
  1490: { reason: "the carrier did not report all parts of the message", effect: "fail" },
  2001: fraud,
  2002: badRequest,
  2003: blacklisted,
};

/** Vonage, "API errors: generic errors": the fragment of an error's `type`, in answers of every API. */
const vonageGenericErrors: Readonly<Record<string, ErrorMeaning>> = {
  "low-balance": noCredit,
  unauthorized: refusedCredentials,
  forbidden: notEnabled,
  "not-found": notEnabled,
  unprovisioned: notEnabled,
  "account-suspended": blockedAccount,
  "application-suspended": blockedAccount,
  "jwt-expired": { reason: "Vonage says that the token has expired: is the clock right?", effect: "retry-provider" },
  "jwt-revoked": refusedCredentials,
  "invalid-api-key": refusedCredentials,
  "invalid-signature": refusedCredentials,
  "invalid-ip": { reason: "Vonage's list of addresses does not have this server", effect: "retry-provider" },
  "multiple-auth-methods": refusedCredentials,
  "invalid-id": notEnabled,
  "invalid-params": badRequest,
  "invalid-json": badRequest,
  throttled: tooFast,
  "wrong-verb": badRequest,
  "accept-header": badRequest,
  "content-type-header": badRequest,
  "unavailable-legal": { reason: "Vonage may not serve this country", effect: "fail-here" },
};

/** The meaning of an HTTP status without an error that is known. */
export function vonageStatusMeaning(status: number): ErrorMeaning {
  switch (status) {
    case 401:
      return refusedCredentials;
    case 402:
      return noCredit;
    case 403:
    case 404:
      return notEnabled;
    case 429:
      return tooFast;
    default:
      return status >= 400 && status < 500 && status !== 408 ? badRequest : outage;
  }
}

/** The error code of a problem (RFC 7807) of the Messages API: the fragment of its `type`, or its `title`, which is also a number. */
export function vonageErrorCode(problem: unknown): string | undefined {
  const [, fragment] = /#([\w-]{1,40})$/.exec(String(field(problem, "type"))) ?? [];
  const [title] = /^\d{4}$/.exec(String(field(problem, "title"))) ?? [];
  return fragment ?? title;
}

/** The meaning of a code: a number of the Messages API, or a word of all APIs. */
export function vonageMeaning(code: string | undefined): ErrorMeaning | undefined {
  if (code === undefined) {
    return undefined;
  }
  return /^\d+$/.test(code)
    ? vonageMessageErrors[Number(code)]
    : Object.hasOwn(vonageGenericErrors, code)
      ? vonageGenericErrors[code]
      : undefined;
}
