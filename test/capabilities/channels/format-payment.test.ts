import { expect, test } from "vitest";
import { formatAmount } from "../../../src/capabilities/channels/texts/format-payment.ts";

/** Spaces that do not break, and marks of direction. */
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, " ").replace(/[\u200e\u200f\u061c]/g, "");

test.each([
  ["en", "EUR", "1249.90", "€1,249.90", "EUR 1,249.90", "1,249.90 euros"],
  ["de", "EUR", "1249.90", "1.249,90 €", "1.249,90 EUR", "1.249,90 Euro"],
  ["fr", "USD", "0.05", "0,05 $US", "0,05 USD", "0,05 dollar des États-Unis"],
  ["pt-BR", "BRL", "10.50", "R$ 10,50", "BRL 10,50", "10,50 Reais brasileiros"],
  ["ar", "KWD", "1.250", "1.250 د.ك.", "1.250 KWD", "1.250 دينار كويتي"],
  ["hi", "INR", "100000.00", "₹1,00,000.00", "INR 1,00,000.00", "1,00,000.00 भारतीय रुपए"],
  ["ja", "JPY", "1000", "￥1,000", "JPY 1,000", "1,000円"],
  [
    "en",
    "IDR",
    "999999999999.99",
    "IDR 999,999,999,999.99",
    "IDR 999,999,999,999.99",
    "999,999,999,999.99 Indonesian rupiahs",
  ],
  [
    "en",
    "BHD",
    "999999999999.999",
    "BHD 999,999,999,999.999",
    "BHD 999,999,999,999.999",
    "999,999,999,999.999 Bahraini dinars",
  ],
  ["en", "XCG", "1.00", "Cg. 1.00", "XCG 1.00", "1.00 Caribbean guilders"],
] as const)("in %s, %s %s is %s, %s or %s", (language, currency, value, symbol, code, name) => {
  const forms = (["symbol", "code", "name"] as const).map((form) => formatAmount(language, { value, currency }, form));
  expect(forms.map(plain)).toEqual([symbol, code, name]);
});
