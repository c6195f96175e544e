import { expect, test } from "vitest";
import { maskRecipient } from "../../../src/capabilities/channels/outgoing-message.ts";

test.each([
  ["+6591234567", "+65••••4567"],
  ["+14155550123", "+14••••0123"],
  ["+4915112345678", "+49••••5678"],
  ["+2901234", "+29••••34"],
  ["+24712", "+24••••"],
  ["jane@example.com", "j•••@example.com"],
  ["j@example.com", "j•••@example.com"],
  ['"a@b"@example.com', '"•••@example.com'],
  ["😀x@example.com", "😀•••@example.com"],
])("%s is shown as %s", (recipient, masked) => {
  expect(maskRecipient(recipient)).toBe(masked);
});
