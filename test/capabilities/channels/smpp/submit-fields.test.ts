import { expect, test } from "vitest";
import { submitFields } from "../../../../src/capabilities/channels/smpp/submit-fields.ts";

const options = { serviceType: "OTP", senderKind: {}, wantsReceipt: true };
const part = { data_coding: 0, short_message: Buffer.from("493817") };
const submit = (sender: string, seconds = 300, more = {}) =>
  submitFields([part], { sender, recipient: "+6591234567" }, seconds, { ...options, ...more })[0] ?? {};

test.each([
  ["+12025550123", 1, 1, "12025550123"],
  ["72404", 3, 0, "72404"],
  ["Acme", 5, 0, "Acme"],
  ["Acme 24", 5, 0, "Acme 24"],
  ["", 0, 0, ""],
])(
  "the sender %j has type of number %d and numbering plan %d",
  (sender, source_addr_ton, source_addr_npi, source_addr) => {
    expect(submit(sender)).toMatchObject({ source_addr_ton, source_addr_npi, source_addr });
  },
);

test("an SMSC that wants other kinds of sender gets them", () => {
  expect(submit("72404", 60, { senderKind: { ton: 6 } })).toMatchObject({ source_addr_ton: 6, source_addr_npi: 0 });
  expect(submit("Acme", 60, { senderKind: { npi: 1 } })).toMatchObject({ source_addr_ton: 5, source_addr_npi: 1 });
});

test.each([
  [0, "000000000100000R"],
  [60, "000000000100000R"],
  [61, "000000000200000R"],
  [299.5, "000000000500000R"],
  [3_600, "000000010000000R"],
  [90_061, "000001010200000R"],
])("a code that is valid for %d s is kept for %s", (seconds, period) => {
  expect(submit("Acme", seconds)).toMatchObject({ validity_period: period });
});

test("only the last part of a message is reported, and none if nobody can be told", () => {
  const ask = (wantsReceipt: boolean) =>
    submitFields([part, part], { sender: "", recipient: "+1" }, 60, { ...options, wantsReceipt }).map(
      (fields) => fields.registered_delivery,
    );
  expect([ask(true), ask(false)]).toEqual([
    [0, 1],
    [0, 0],
  ]);
  expect(submit("")).toMatchObject({
    service_type: "OTP",
    dest_addr_ton: 1,
    dest_addr_npi: 1,
    destination_addr: "6591234567",
    short_message: Buffer.from("493817"),
  });
});
