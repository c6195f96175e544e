import type { ErrorMeaning } from "../error-meaning.ts";

const outage: ErrorMeaning = { reason: "Plivo is out of service", effect: "retry-provider" };
/** It may be because of the account or the sender. */
const badRequest: ErrorMeaning = { reason: "Plivo refused the request", effect: "fail-here" };

/**
 * Plivo, "API response": the HTTP statuses of all its APIs. The text of an error is not documented, and may contain the number:
 * only the status counts. The SDKs know 403 as a country that the account's permissions exclude.
 */
export function plivoStatusMeaning(status: number): ErrorMeaning {
  switch (status) {
    case 401:
      return { reason: "Plivo refused the credentials", effect: "retry-provider" };
    case 402:
      return { reason: "the Plivo account has no credit", effect: "retry-provider" };
    case 403:
      return { reason: "Plivo's geo permissions exclude the country", effect: "fail-here" };
    case 404:
      return { reason: "Plivo does not know the account", effect: "retry-provider" };
    case 405:
      return { reason: "Plivo does not know the method", effect: "retry-provider" };
    case 429:
      return { reason: "Plivo's rate limit is reached", effect: "retry-provider", afterMs: 1_000 };
    default:
      return status >= 400 && status < 500 && status !== 408 ? badRequest : outage;
  }
}

/** Why a message or call that Plivo accepted was not delivered. */
export interface PlivoFailure {
  readonly reason: string;
  /** The recipient cannot get messages on this channel. */
  readonly undeliverable?: true;
}

const landline = "the number is unknown, or cannot receive text messages";

/**
 * Plivo, "SMS error codes", of messages that are `failed` or `undelivered`. The codes from 300 to 910 are those of its older API
 * reference.
 */
export const plivoMessageErrors: Readonly<Record<number, PlivoFailure>> = {
  10: { reason: "the carrier refused the message" },
  20: { reason: "the carrier's network failed" },
  30: { reason: "the carrier took the message for spam" },
  40: { reason: "Plivo refused the sender" },
  50: { reason: landline, undeliverable: true },
  60: { reason: "the carrier found a loop" },
  70: { reason: "the number is no longer in use", undeliverable: true },
  80: { reason: "the recipient cannot be reached at present" },
  90: { reason: "Plivo has no route to the recipient" },
  100: { reason: "the carrier does not carry this message" },
  110: { reason: "the message is too long" },
  200: { reason: "the recipient opted out", undeliverable: true },
  201: { reason: "the sender cannot reach numbers of this country" },
  300: { reason: "Plivo could not pass the message on" },
  420: { reason: "the message expired before it was delivered" },
  450: { reason: "Plivo's geo permissions exclude the country" },
  900: { reason: "the Plivo account has no credit" },
  910: { reason: "the Plivo account is disabled" },
  1000: { reason: "Plivo does not know why the message failed" },
};

const notAnswered = "the call was not answered";
const busy = "the line was busy";
const cannotCall = "Plivo could not place the call";
const ownAnswer = "Plivo could not read this server's answer to the call";

/** Plivo, "Standard hangup causes", by `HangupCauseCode`, of calls that ended before they were answered, or with an error. */
export const plivoHangupCauses: Readonly<Record<number, PlivoFailure>> = {
  0: { reason: "Plivo does not know why the call ended" },
  1000: { reason: "the call was cancelled" },
  1010: { reason: "the Plivo account has no credit" },
  1020: { reason: "too many calls to this recipient" },
  2000: { reason: "the number is invalid", undeliverable: true },
  2010: { reason: "the number is out of service" },
  2020: { reason: cannotCall },
  2030: { reason: "Plivo's geo permissions exclude the country" },
  2040: { reason: "Plivo's permissions exclude the number" },
  2050: { reason: "Plivo's permissions exclude the number" },
  2060: { reason: "the call would be a loop" },
  2070: { reason: "the country's regulation forbids the call" },
  3000: { reason: notAnswered },
  3010: { reason: busy },
  3020: { reason: "the call was rejected" },
  3030: { reason: "Plivo refused the caller's number" },
  3040: { reason: "the recipient blocks the call" },
  3050: { reason: "the number is not in use", undeliverable: true },
  3070: { reason: "the carrier did not answer" },
  3080: { reason: "the carrier's network failed" },
  3090: { reason: "the carrier's network is congested" },
  3100: { reason: busy },
  3110: { reason: "the call was rejected" },
  3120: { reason: "the number is not in use", undeliverable: true },
  3130: { reason: "the carrier took the call for spam" },
  3140: { reason: "Plivo refused the caller's number" },
  5000: { reason: cannotCall },
  5010: { reason: cannotCall },
  5020: { reason: cannotCall },
  5030: { reason: "too many calls at once for the Plivo account" },
  6010: { reason: notAnswered },
  7011: { reason: ownAnswer },
  7012: { reason: ownAnswer },
  7013: { reason: ownAnswer },
  7014: { reason: ownAnswer },
  7022: { reason: ownAnswer },
  7023: { reason: ownAnswer },
  7024: { reason: ownAnswer },
  7032: { reason: ownAnswer },
  7033: { reason: ownAnswer },
  7034: { reason: ownAnswer },
  8011: { reason: ownAnswer },
  8012: { reason: ownAnswer },
  8013: { reason: ownAnswer },
  8014: { reason: ownAnswer },
  9100: { reason: "an answering machine took the call" },
};
