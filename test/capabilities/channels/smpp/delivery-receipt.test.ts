import { expect, test } from "vitest";
import { readDeliveryReceipt } from "../../../../src/capabilities/channels/smpp/delivery-receipt.ts";

const asText = { submitted: "text", receipt: "text" } as const;
const text = (stat: string, id = "0A1b_2") =>
  `id:${id} sub:001 dlvrd:001 submit date:2603011200 done date:2603011201 stat:${stat} err:000 text:493817 is your`;
const fields = (message: string, more = {}) => ({
  esm_class: 4,
  data_coding: 0,
  short_message: Buffer.from(message),
  ...more,
});
const noText = { esm_class: 4, short_message: Buffer.alloc(0), receipted_message_id: "77" };

test.each([
  ["ENROUTE", 1, "underway"],
  ["DELIVRD", 2, "delivered"],
  ["EXPIRED", 3, "failed"],
  ["DELETED", 4, "failed"],
  ["UNDELIV", 5, "failed"],
  ["ACCEPTD", 6, "underway"],
  ["UNKNOWN", 7, "underway"],
  ["REJECTD", 8, "failed"],
  ["SKIPPED", 9, "failed"],
  ["SCHEDUL", 0, "underway"],
])("%s, as a text and as a number", (word, number, state) => {
  expect(readDeliveryReceipt(fields(text(word)), asText)).toMatchObject({ messageId: "0A1b_2", state });
  expect(readDeliveryReceipt({ ...noText, message_state: number }, asText)).toMatchObject({ messageId: "77", state });
});

test.each([
  ["DELIVERED", "delivered"],
  ["FAILED", "failed"],
  ["UNDELIVERED", "failed"],
  ["UNDELIVERABLE", "failed"],
  ["REJECT", "failed"],
  ["Rejected", "failed"],
])("%s, which is no word of the specification", (word, state) => {
  expect(readDeliveryReceipt(fields(text(word)), asText)).toMatchObject({ state });
});

test("a failure has its state and the error of the network, and nothing of the message", () => {
  const failure = (message: string) => readDeliveryReceipt(fields(message), asText)?.reason;
  expect(failure(text("UNDELIV").replace("err:000", "err:00B"))).toBe("the SMSC reports UNDELIV, error 00B");
  expect(failure(text("EXPIRED"))).toBe("the SMSC reports EXPIRED");
  expect(failure("id:1 stat:REJECTD text:err:493817 err:493")).toBe("the SMSC reports REJECTD");
});

test.each([
  ["a message of a person that looks like a receipt", { ...fields(text("DELIVRD")), esm_class: 0 }],
  ["a message without an esm_class", { short_message: Buffer.from(text("DELIVRD")) }],
  ["a receipt without an id", fields("stat:DELIVRD")],
  ["a receipt without anything", { esm_class: 4 }],
  ["an id that is no text", fields("id:\u0001\u0002 stat:DELIVRD")],
])("%s is no receipt", (_name, given) => {
  expect(readDeliveryReceipt(given, asText)).toBeUndefined();
});

test.each([
  [
    "in message_payload",
    { esm_class: 4, short_message: Buffer.alloc(0), message_payload: Buffer.from(text("DELIVRD")) },
  ],
  ["as an intermediate notification", { ...fields(text("DELIVRD")), esm_class: 0x20 }],
  ["beside a user data header's flag", { ...fields(text("DELIVRD")), esm_class: 0x44 }],
  ["in lower case", fields("id:0A1b_2 sub:1 stat:delivrd")],
])("a receipt %s is read", (_name, given) => {
  expect(readDeliveryReceipt(given, asText)).toMatchObject({ messageId: "0A1b_2", state: "delivered" });
});

test.each([
  ["hex", "decimal", "3F2A1B", "4139547"],
  ["hex", "decimal", "3f2a1b", "0004139547"],
  ["decimal", "hex", "4139547", "3F2A1B"],
  ["decimal", "decimal", "0000000042", "42"],
  ["hex", "hex", "00ff", "FF"],
  ["text", "text", "ff-1", "ff-1"],
  ["hex", "decimal", "msg-1", "msg-1"],
  ["hex", "decimal", "ffffffffffffffff", "18446744073709551615"],
] as const)("ids that are %s when submitted and %s in receipts: %s is %s", (submitted, receipt, id, inReceipt) => {
  const forms = { submitted, receipt };
  const byText = readDeliveryReceipt(fields(text("DELIVRD", inReceipt)), forms);
  const byParameter = readDeliveryReceipt({ ...noText, receipted_message_id: id, message_state: 2 }, forms);
  expect(byText?.messageId).toBe(byParameter?.messageId);
});

test("only a GSM network that does not know the subscriber says that the recipient cannot be reached", () => {
  const isUndeliverable = (code: string, stat = "UNDELIV") =>
    readDeliveryReceipt(fields(text(stat), { network_error_code: Buffer.from(code, "hex") }), asText)?.isUndeliverable;
  expect(isUndeliverable("030001")).toBe(true);
  expect(["03001b", "010001", "0001", ""].map((code) => isUndeliverable(code))).toEqual([false, false, false, false]);
  expect(isUndeliverable("030001", "EXPIRED")).toBe(false);
});
