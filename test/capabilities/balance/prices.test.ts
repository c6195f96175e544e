import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseConfig } from "../../../src/app.ts";
import { formatAmount, messagePrice, type Prices, parseAmount } from "../../../src/capabilities/balance/prices.ts";
import { pricedConfig, prices, usePricedApp } from "./balance-fixture.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "byond-prices-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(content: unknown): Promise<Prices | undefined> {
  const path = join(folder, "prices.json");
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return parseConfig({ PRICES: path }).prices;
}

test("a file of prices is read at the start; its digits are those of the currency unless it says others", async () => {
  expect(await read({ currency: "EUR" })).toEqual({ currency: "EUR", digits: 2, messages: {}, lookup: 0 });
  const sms = { default: 7_000, GB: 7, XK: 8, "+800": 8, "+870": 8, "+883": 9 };
  const content = { currency: "JPY", digits: 3, messages: { sms, email: { default: 1 } }, lookup: 5 };
  expect(await read(content)).toEqual(content);
  expect(parseConfig({}).prices).toBeUndefined();
});

test.each([
  ["{", "is not JSON"],
  [{ currency: "EURO" }, "currency: must be a currency code of ISO 4217"],
  [{ currency: "EUR", digits: 7 }, "digits: must be an integer between 0 and 6"],
  [{ currency: "EUR", lookup: 0.5 }, "lookup: must be an integer between 0 and 1000000000"],
  [{ currency: "EUR", messages: { fax: { default: 1 } } }, "messages.fax: is not a channel"],
  [{ currency: "EUR", messages: { sms: { DE: 1 } } }, "messages.sms.default: is required"],
  [{ currency: "EUR", messages: { sms: { default: 1, Germany: 1 } } }, "messages.sms.Germany: is not a country"],
  [{ currency: "EUR", messages: { sms: { default: 1, UK: 1 } } }, "messages.sms.UK: must be GB for the United Kingdom"],
  [{ currency: "EUR", messages: { voice: { default: 1, ZZ: 1 } } }, "messages.voice.ZZ: is not a country"],
  [{ currency: "EUR", messages: { sms: { default: 1, "+49": 1 } } }, "messages.sms.+49: is not the calling code of"],
  [{ currency: "EUR", messages: { sms: { default: 1, "+44": 1 } } }, "messages.sms.+44: is not the calling code of"],
  [{ currency: "EUR", messages: { sms: { default: 1, "+999": 1 } } }, "messages.sms.+999: is not the calling code of"],
  [{ currency: "EUR", messages: { email: { default: 1, DE: 9 } } }, "messages.email.DE: mails have no country"],
  ['{"currency":"EUR","lookup":1,"lookup":2}', "lookup: must be given once"],
  ['{"currency":"EUR","messages":{"sms":{"default":1,"DE":1,"D\\u0045":2}}}', "messages.sms.DE: must be given once"],
  [{ currency: "EUR", messages: { sms: { default: -1 } } }, "messages.sms.default: must be an integer"],
  [{ currency: "EUR", message: {} }, "message: is not a field"],
])("%j keeps the server from starting", async (content, problem) => {
  await expect(read(content)).rejects.toThrow(`PRICES: ${problem}`);
});

test("a file that cannot be read keeps the server from starting", () => {
  expect(() => parseConfig({ PRICES: join(folder, "none.json") })).toThrow("PRICES: the file cannot be read");
});

test("the price of a message is that of the country, or else the channel's", () => {
  expect(messagePrice(prices, "sms", "DE")).toBe(7);
  expect(messagePrice(prices, "sms", "default")).toBe(9);
  expect(messagePrice(prices, "sms", "constructor")).toBe(9);
  expect(messagePrice(prices, "whatsapp", "DE")).toBe(0);
});

test.each([
  [2, 0n, "0.00"],
  [2, -7n, "-0.07"],
  [2, 123_456n, "1234.56"],
  [0, 5n, "5"],
  [4, 700n, "0.0700"],
])("with %i digits, %i is %s", (digits, amount, text) => {
  expect(formatAmount({ digits }, amount)).toBe(text);
  expect(parseAmount({ digits }, text)).toBe(amount);
});

test("an amount with more digits than amounts have is none", () => {
  expect(parseAmount({ digits: 2 }, "0.001")).toBeUndefined();
  expect(parseAmount({ digits: 2 }, "1e3")).toBeUndefined();
});

const app = usePricedApp();

test("the currency and the digits of a database do not change", async () => {
  await expect(app.startAnother({ ...pricedConfig, prices: { ...prices, digits: 4 } })).rejects.toThrow(
    "the balances of this database are in EUR with 2 digits",
  );
});
