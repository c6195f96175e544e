/** How an SMSC writes ids: as texts that are compared as they are, or as numbers. */
export type IdForm = "text" | "hex" | "decimal";

export interface IdForms {
  /** In `submit_sm_resp`, and in the parameter `receipted_message_id`. */
  readonly submitted: IdForm;
  /** In the text of receipts. */
  readonly receipt: IdForm;
}

/** What a receipt says. */
export interface DeliveryReceipt {
  readonly messageId: string;
  /** `underway`: not final, or it says nothing. */
  readonly state: "delivered" | "failed" | "underway";
  /** With `failed`, in our words. */
  readonly reason: string;
  /** The network does not know the recipient. */
  readonly isUndeliverable: boolean;
}

/** Bits 5–2 of `esm_class` (SMPP 3.4, §5.2.12). */
const messageTypeBits = 0x3c;
const receiptTypes: ReadonlySet<unknown> = new Set([0x04, 0x20]);

/** The states of a message, as the text of a receipt calls them and as `message_state` numbers them (§5.2.28, appendix B). */
const states = [
  { word: "ENROUTE", number: 1, state: "underway" },
  { word: "DELIVRD", number: 2, state: "delivered" },
  { word: "EXPIRED", number: 3, state: "failed" },
  { word: "DELETED", number: 4, state: "failed" },
  { word: "UNDELIV", number: 5, state: "failed" },
  { word: "ACCEPTD", number: 6, state: "underway" },
  // The SMSC does not know. The message may have arrived.
  { word: "UNKNOWN", number: 7, state: "underway" },
  { word: "REJECTD", number: 8, state: "failed" },
  // Of version 5.0.
  { word: "SKIPPED", number: 9, state: "failed" },
] as const;

/** What SMSCs write that do not keep to the seven letters. */
const otherWords: ReadonlyMap<string, string> = new Map([
  ["DELIVERED", "DELIVRD"],
  ["FAILED", "UNDELIV"],
  ["UNDELIVERED", "UNDELIV"],
  ["UNDELIVERABLE", "UNDELIV"],
  ["REJECT", "REJECTD"],
  ["REJECTED", "REJECTD"],
]);

/** Appendix B. `err` has three characters there; what is longer is left out. */
const textPattern =
  /^id:\s*(?<id>[\x21-\x7e]{1,65}) .*?\bstat:(?<stat>[A-Z]{2,13})\b(?:.*?\berr:(?<err>[0-9A-F]{1,3})\b)?/is;

/**
 * Reads a `deliver_sm` or `data_sm`. Undefined if it is no receipt of an SMSC, such as a message of a person: whether it is one is for
 * `esm_class` to say, since anybody can write a text that looks like a receipt.
 */
export function readDeliveryReceipt(
  fields: Readonly<Record<string, unknown>>,
  forms: IdForms,
): DeliveryReceipt | undefined {
  const { esm_class: esmClass, receipted_message_id: receiptedId, message_state: stateNumber } = fields;
  if (typeof esmClass !== "number" || !receiptTypes.has(esmClass & messageTypeBits)) {
    return undefined;
  }
  const text = textPattern.exec(textOf(fields))?.groups ?? {};
  const hasId = typeof receiptedId === "string" && receiptedId !== "";
  const messageId = hasId ? normalizeId(receiptedId, forms.submitted) : normalizeId(text.id, forms.receipt);
  const stat = text.stat?.toUpperCase() ?? "";
  const found =
    states.find(({ number }) => number === stateNumber) ??
    states.find(({ word }) => word === (otherWords.get(stat) ?? stat));
  if (messageId === undefined) {
    return undefined;
  }
  const error = text.err === undefined || /^0+$/.test(text.err) ? "" : `, error ${text.err}`;
  return {
    messageId,
    state: found?.state ?? "underway",
    reason: `the SMSC reports ${found?.word ?? "no state"}${error}`,
    isUndeliverable: found?.word === "UNDELIV" && isUnknownSubscriber(fields.network_error_code),
  };
}

/** Receipts are ASCII, whatever their `data_coding` says. Their end, `text:`, repeats the message and so the code: it is not read. */
function textOf({ short_message: short, message_payload: payload }: Readonly<Record<string, unknown>>): string {
  const octets = [short, payload].find((value) => Buffer.isBuffer(value) && value.length > 0);
  const text = Buffer.isBuffer(octets) ? octets.toString("latin1") : "";
  return text.replace(/\btext:.*/is, "");
}

/**
 * The form of an id under which it is stored and compared. Numbers are decimal, without zeros in front; what is no number of that form
 * stays a text. Undefined if it is no id.
 */
export function normalizeId(id: string | undefined, form: IdForm): string | undefined {
  if (id === undefined || !/^[\x21-\x7e]{1,65}$/.test(id)) {
    return undefined;
  }
  if (form === "hex" && /^[0-9a-f]+$/i.test(id)) {
    return BigInt(`0x${id}`).toString();
  }
  return form === "decimal" && /^\d+$/.test(id) ? BigInt(id).toString() : id;
}

/**
 * `network_error_code` (§5.3.2.31) is the kind of network, 3 for GSM, and its error: 1 is "unknown subscriber" (3GPP TS 29.002, §17.6.6). What
 * `err` means in the text is the SMSC's own.
 */
function isUnknownSubscriber(code: unknown): boolean {
  return Buffer.isBuffer(code) && code.length === 3 && code[0] === 3 && code.readUInt16BE(1) === 1;
}
