import { expect, test } from "vitest";
import { whatsappNumber } from "../../../src/capabilities/channels/whatsapp/whatsapp-number.ts";

test.each([
  ["+525512345678", "+5215512345678"],
  ["+5491123456789", "+5491123456789"],
  ["+541123456789", "+5491123456789"],
  ["+5511987654321", "+5511987654321"],
  ["+551187654321", "+551187654321"],
  ["+6591234567", "+6591234567"],
  ["+12025550123", "+12025550123"],
])("WhatsApp writes %s as %s", (e164, spelling) => {
  expect(whatsappNumber(e164)).toBe(spelling);
});
