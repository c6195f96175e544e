import type { ErrorMeaning } from "../error-meaning.ts";

export interface StatusMeaning extends ErrorMeaning {
  /** The name in the specification. */
  readonly name: string;
}

/** The values that the client itself acts on, or answers with. */
export const statuses = {
  ok: 0,
  invalidLength: 2,
  invalidCommand: 3,
  notBound: 4,
  wrongPassword: 14,
  wrongSystemId: 15,
  /** "ESME Receiver Temporary App Error Code": the SMSC sends a receipt again. */
  temporaryError: 100,
  permanentError: 101,
  unknownError: 255,
} as const;

/** How long an SMSC is left alone that has too many messages. */
const ratePauseMs = 1_000;

const badMessage = "the SMSC refused the message";
const badSender = "the SMSC refused the sender";
const badRecipient = "the SMSC does not know the recipient";
const badAccount = "the SMSC refused the account";
const notAllowed = "the SMSC does not allow the account to send";
const outage = "the SMSC has an error";
const tooFast = "the SMSC's rate limit is reached";
const notUnderstood = "the SMSC did not understand the request";

/**
 * All values of `command_status`: SMPP 3.4, table 5-2, and those that version 5.0 added, which SMSCs send to clients of 3.4, too. Those
 * of operations that we never request are there, since SMSCs are not exact.
 */
const meanings: Readonly<Record<number, StatusMeaning>> = {
  1: { name: "ESME_RINVMSGLEN", effect: "fail-here", reason: "the SMSC does not take messages of this length" },
  2: { name: "ESME_RINVCMDLEN", effect: "fail", reason: notUnderstood },
  3: { name: "ESME_RINVCMDID", effect: "retry-provider", reason: notUnderstood },
  4: {
    name: "ESME_RINVBNDSTS",
    effect: "retry-provider",
    reason: "the SMSC says that the connection is not bound for sending",
  },
  5: { name: "ESME_RALYBND", effect: "retry-provider", reason: "the account has as many binds as the SMSC allows" },
  6: { name: "ESME_RINVPRTFLG", effect: "fail", reason: badMessage },
  7: { name: "ESME_RINVREGDLVFLG", effect: "fail", reason: badMessage },
  8: { name: "ESME_RSYSERR", effect: "retry-provider", reason: outage },
  10: { name: "ESME_RINVSRCADR", effect: "fail-here", reason: badSender },
  11: { name: "ESME_RINVDSTADR", effect: "fail-here", reason: badRecipient },
  12: { name: "ESME_RINVMSGID", effect: "fail", reason: badMessage },
  13: { name: "ESME_RBINDFAIL", effect: "retry-provider", reason: "the SMSC refused the bind" },
  14: { name: "ESME_RINVPASWD", effect: "retry-provider", reason: badAccount },
  15: { name: "ESME_RINVSYSID", effect: "retry-provider", reason: badAccount },
  17: { name: "ESME_RCANCELFAIL", effect: "fail", reason: badMessage },
  19: { name: "ESME_RREPLACEFAIL", effect: "fail", reason: badMessage },
  20: { name: "ESME_RMSGQFUL", effect: "retry-provider", reason: "the SMSC's queue is full", afterMs: ratePauseMs },
  21: { name: "ESME_RINVSERTYP", effect: "retry-provider", reason: notAllowed },
  51: { name: "ESME_RINVNUMDESTS", effect: "fail", reason: badMessage },
  52: { name: "ESME_RINVDLNAME", effect: "fail", reason: badMessage },
  64: { name: "ESME_RINVDESTFLAG", effect: "fail", reason: badMessage },
  66: { name: "ESME_RINVSUBREP", effect: "fail", reason: badMessage },
  67: { name: "ESME_RINVESMCLASS", effect: "fail-here", reason: badMessage },
  68: { name: "ESME_RCNTSUBDL", effect: "fail", reason: badMessage },
  69: { name: "ESME_RSUBMITFAIL", effect: "retry-message", reason: "the SMSC could not take the message" },
  72: { name: "ESME_RINVSRCTON", effect: "fail-here", reason: badSender },
  73: { name: "ESME_RINVSRCNPI", effect: "fail-here", reason: badSender },
  80: { name: "ESME_RINVDSTTON", effect: "fail", reason: badMessage },
  81: { name: "ESME_RINVDSTNPI", effect: "fail", reason: badMessage },
  83: { name: "ESME_RINVSYSTYP", effect: "retry-provider", reason: badAccount },
  84: { name: "ESME_RINVREPFLAG", effect: "fail", reason: badMessage },
  85: { name: "ESME_RINVNUMMSGS", effect: "fail", reason: badMessage },
  88: { name: "ESME_RTHROTTLED", effect: "retry-provider", reason: tooFast, afterMs: ratePauseMs },
  97: { name: "ESME_RINVSCHED", effect: "fail", reason: badMessage },
  98: { name: "ESME_RINVEXPIRY", effect: "fail", reason: "the SMSC refused the validity period" },
  99: { name: "ESME_RINVDFTMSGID", effect: "fail", reason: badMessage },
  100: { name: "ESME_RX_T_APPN", effect: "retry-message", reason: "the SMSC could not take the message" },
  101: { name: "ESME_RX_P_APPN", effect: "fail", reason: badMessage },
  102: { name: "ESME_RX_R_APPN", effect: "fail", reason: badMessage },
  103: { name: "ESME_RQUERYFAIL", effect: "fail", reason: badMessage },
  192: { name: "ESME_RINVTLVSTREAM", effect: "fail", reason: notUnderstood },
  193: { name: "ESME_RTLVNOTALLWD", effect: "fail", reason: notUnderstood },
  194: { name: "ESME_RINVTLVLEN", effect: "fail", reason: notUnderstood },
  195: { name: "ESME_RMISSINGTLV", effect: "fail", reason: notUnderstood },
  196: { name: "ESME_RINVTLVVAL", effect: "fail", reason: notUnderstood },
  254: { name: "ESME_RDELIVERYFAILURE", effect: "fail", reason: "the SMSC could not deliver the message" },
  255: { name: "ESME_RUNKNOWNERR", effect: "retry-provider", reason: outage },
  256: { name: "ESME_RSERTYPUNAUTH", effect: "retry-provider", reason: notAllowed },
  257: { name: "ESME_RPROHIBITED", effect: "retry-provider", reason: notAllowed },
  258: { name: "ESME_RSERTYPUNAVAIL", effect: "retry-provider", reason: outage },
  259: { name: "ESME_RSERTYPDENIED", effect: "retry-provider", reason: notAllowed },
  260: { name: "ESME_RINVDCS", effect: "fail-here", reason: "the SMSC refused the alphabet of the message" },
  261: { name: "ESME_RINVSRCADDRSUBUNIT", effect: "fail-here", reason: badSender },
  262: { name: "ESME_RINVDSTADDRSUBUNIT", effect: "fail", reason: badMessage },
  263: { name: "ESME_RINVBCASTFREQINT", effect: "fail", reason: badMessage },
  264: { name: "ESME_RINVBCASTALIAS_NAME", effect: "fail", reason: badMessage },
  265: { name: "ESME_RINVBCASTAREAFMT", effect: "fail", reason: badMessage },
  266: { name: "ESME_RINVNUMBCAST_AREAS", effect: "fail", reason: badMessage },
  267: { name: "ESME_RINVBCASTCNTTYPE", effect: "fail", reason: badMessage },
  268: { name: "ESME_RINVBCASTMSGCLASS", effect: "fail", reason: badMessage },
  269: { name: "ESME_RBCASTFAIL", effect: "fail", reason: badMessage },
  270: { name: "ESME_RBCASTQUERYFAIL", effect: "fail", reason: badMessage },
  271: { name: "ESME_RBCASTCANCELFAIL", effect: "fail", reason: badMessage },
  272: { name: "ESME_RINVBCAST_REP", effect: "fail", reason: badMessage },
  273: { name: "ESME_RINVBCASTSRVGRP", effect: "fail", reason: badMessage },
  274: { name: "ESME_RINVBCASTCHANIND", effect: "fail", reason: badMessage },
};

/**
 * The meaning of a status that is not 0. One of the SMSC's own (0x400–0x4FF) or that is reserved is tried again, since nobody but the
 * SMSC knows what it says.
 */
export function meaningOfStatus(status: number): StatusMeaning {
  return (
    meanings[status] ?? {
      name: `0x${status.toString(16).padStart(8, "0")}`,
      effect: "retry-message",
      reason: "the SMSC answered with a status of its own",
    }
  );
}
