import type { ErrorMeaning } from "../error-meaning.ts";

const refusedCredentials: ErrorMeaning = { reason: "Twilio refused the credentials", effect: "retry-provider" };
const inactiveAccount: ErrorMeaning = { reason: "the Twilio account is not active", effect: "retry-provider" };
const outage: ErrorMeaning = { reason: "Twilio is out of service", effect: "retry-provider" };
const tooFast: ErrorMeaning = { reason: "Twilio's rate limit is reached", effect: "retry-provider", afterMs: 2_000 };
const badNumber: ErrorMeaning = { reason: "the number does not exist", effect: "undeliverable" };
const badSender: ErrorMeaning = { reason: "Twilio refused the sender", effect: "fail-here" };
const trial: ErrorMeaning = { reason: "the Twilio trial account cannot send to the recipient", effect: "fail-here" };
const country: ErrorMeaning = { reason: "the Twilio account is not enabled for the country", effect: "fail-here" };
const filtered: ErrorMeaning = { reason: "the message was blocked", effect: "fail-here" };

/** Errors of Twilio's API: twilio.com/docs/api/errors. Errors that affect all messages are retried. */
export const twilioErrors: Readonly<Record<number, ErrorMeaning>> = {
  10001: inactiveAccount,
  10004: { reason: "Twilio's limit of calls at the same time is reached", effect: "retry-provider", afterMs: 2_000 },
  13224: badNumber,
  20003: refusedCredentials,
  20005: inactiveAccount,
  20429: tooFast,
  20500: outage,
  20503: outage,
  21210: badSender,
  21211: badNumber,
  21212: badSender,
  21214: { reason: "the number cannot be reached", effect: "fail-here" },
  21215: country,
  21217: badNumber,
  21408: country,
  21601: badSender,
  21606: badSender,
  21607: trial,
  21608: trial,
  21610: { reason: "the recipient has unsubscribed from the sender", effect: "undeliverable" },
  21611: { reason: "Twilio's queue of the sender is full", effect: "retry-provider", afterMs: 5_000 },
  21612: { reason: "Twilio cannot reach the recipient from the sender", effect: "fail-here" },
  21614: { reason: "the number cannot receive text messages", effect: "undeliverable" },
  21617: { reason: "the message is too long", effect: "fail" },
  21661: badSender,
  21704: { reason: "the Twilio messaging service has no sender", effect: "fail-here" },
  63038: {
    reason: "the Twilio account's limit of messages a day is reached",
    effect: "retry-provider",
    afterMs: 60_000,
  },
};

/** Why a message that Twilio accepted was not delivered: the `ErrorCode` of its status callbacks. */
export const twilioDeliveryErrors: Readonly<
  Record<number, Pick<ErrorMeaning, "reason"> & { readonly undeliverable?: true }>
> = {
  21610: { reason: "the recipient has unsubscribed from the sender", undeliverable: true },
  30001: { reason: "Twilio's queue of the sender is full" },
  30002: { reason: "the Twilio account is suspended" },
  // Also a phone that is switched off.
  30003: { reason: "the phone cannot be reached" },
  30004: filtered,
  // The number does not exist, or not any more.
  30005: { reason: "the number is unknown", undeliverable: true },
  30006: { reason: "the number is a landline, or its carrier cannot be reached", undeliverable: true },
  30007: { reason: "the carrier filtered the message" },
  30008: { reason: "the message was not delivered, for an unknown reason" },
  30010: { reason: "the message costs more than the account allows" },
  30022: { reason: "the carrier's rate limit is reached" },
  30024: { reason: "the carrier does not know the sender" },
  30034: { reason: "the sender is not registered with the carriers" },
  30036: { reason: "the code expired before the message could be sent" },
  30042: { reason: "the carrier refused the sender" },
};
