import { ViolationCollector } from "@byond/rest/field-violations";
import { parseJson } from "@byond/rest/json/parse-json";
import { minorDigits } from "../../text/currencies.ts";
import { isInternationalCode, isKnownRegion } from "../../text/numbering-plans.ts";
import { type ChannelName, channelNames } from "../channels/outgoing-message.ts";

/** What the operator asks for messages and lookups. Amounts are integers of the smallest unit: `10 ** -digits` of the currency. */
export interface Prices {
  /** ISO 4217. */
  readonly currency: string;
  /** Digits after the point of an amount. */
  readonly digits: number;
  /** A message by channel, and then by country. A channel that is not named costs nothing. */
  readonly messages: Partial<Readonly<Record<ChannelName, ChannelPrices>>>;
  /** A number of a lookup. */
  readonly lookup: number;
}

/** By country in ISO 3166-1 alpha-2; a number of an international network has its calling code: `+800`. */
type ChannelPrices = Readonly<Record<string, number>> & { readonly default: number };

/** Digits after the point at most: a price of a millionth is exact. */
const maxDigits = 6;

/** Integers up to here are exact in JavaScript, also as a sum of some. */
const maxPrice = 1_000_000_000;

/** Reads a file of prices. `problem` is told what is wrong, with the path of the field. */
export function parsePrices(text: string, problem: (problem: string) => void): Prices | undefined {
  let json: unknown;
  const repeated = new ViolationCollector();
  try {
    json = parseJson(text, repeated);
  } catch (error) {
    // The message of the error itself is about the body of a request.
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : "nested too deep";
    problem(`is not JSON: ${cause}`);
    return undefined;
  }
  const problems = repeated.listed.map(({ path, message }) => `${path}: ${message}`);
  const { currency, digits, messages = {}, lookup = 0, ...unknown } = objectOf(json, "the file", problems);
  problems.push(...Object.keys(unknown).map((name) => `${name}: is not a field`));
  const ownDigits = typeof currency === "string" ? minorDigits(currency) : undefined;
  if (ownDigits === undefined) {
    problems.push("currency: must be a currency code of ISO 4217, such as EUR");
  }
  if (digits !== undefined && !isInteger(digits, 0, maxDigits)) {
    problems.push(`digits: must be an integer between 0 and ${maxDigits}`);
  }
  const channels = Object.entries(objectOf(messages, "messages", problems)).map(([channel, prices]) => [
    channel,
    channelPrices(channel, prices, problems),
  ]);
  const lookupPrice = priceOf(lookup, "lookup", problems);
  if (problems.length > 0) {
    problems.forEach((found) => void problem(found));
    return undefined;
  }
  return {
    currency: String(currency),
    digits: digits === undefined ? (ownDigits ?? 0) : Number(digits),
    messages: Object.fromEntries(channels),
    lookup: lookupPrice,
  };
}

function channelPrices(channel: string, prices: unknown, problems: string[]): Readonly<Record<string, number>> {
  const path = `messages.${channel}`;
  if (!channelNames.some((name) => name === channel)) {
    problems.push(`${path}: is not a channel, which are ${channelNames.join(", ")}`);
  }
  const byCountry = objectOf(prices, path, problems);
  if (byCountry.default === undefined) {
    problems.push(`${path}.default: is required`);
  }
  return Object.fromEntries(
    Object.entries(byCountry).map(([country, price]) => {
      const wrong = country === "default" ? undefined : countryProblem(channel, country);
      if (wrong !== undefined) {
        problems.push(`${path}.${country}: ${wrong}`);
      }
      return [country, priceOf(price, `${path}.${country}`, problems)];
    }),
  );
}

/** Why no message of a channel would ever have the price of this country. Undefined: some may. */
function countryProblem(channel: string, country: string): string | undefined {
  if (channel === "email") {
    return "mails have no country, and only default applies to them";
  }
  if (country.startsWith("+")) {
    return isInternationalCode(country.slice(1))
      ? undefined
      : "is not the calling code of an international network, such as +883; countries have two letters, such as DE";
  }
  if (country === "UK") {
    return "must be GB for the United Kingdom";
  }
  return isKnownRegion(country)
    ? undefined
    : "is not a country in ISO 3166-1 alpha-2 that has phone numbers, such as DE";
}

function priceOf(price: unknown, path: string, problems: string[]): number {
  if (!isInteger(price, 0, maxPrice)) {
    problems.push(`${path}: must be an integer between 0 and ${maxPrice}`);
    return 0;
  }
  return price;
}

function isInteger(value: unknown, min: number, max: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
}

function objectOf(value: unknown, path: string, problems: string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    problems.push(`${path}: must be an object`);
    return {};
  }
  return { ...value };
}

/** The price of a message. `country`: ISO 3166-1 alpha-2, or a calling code. Null: the channel has none. */
export function messagePrice({ messages }: Prices, channel: ChannelName, country: string | null): number {
  const prices = messages[channel];
  if (prices === undefined) {
    return 0;
  }
  return (country !== null && Object.hasOwn(prices, country) ? prices[country] : undefined) ?? prices.default;
}

/** An amount as a decimal number, such as `-0.07`. */
export function formatAmount({ digits }: Pick<Prices, "digits">, amount: bigint): string {
  const text = String(amount < 0n ? -amount : amount).padStart(digits + 1, "0");
  const sign = amount < 0n ? "-" : "";
  return digits === 0 ? `${sign}${text}` : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** Digits before the point of an amount at most: with those after it, it can be stored. */
export const maxWholeDigits = 12;
const decimal = new RegExp(`^(-?)(\\d{1,${maxWholeDigits}})(?:\\.(\\d{1,9}))?$`);

/** The amount of a decimal number. Undefined: it is none, or has more digits than amounts have. */
export function parseAmount({ digits }: Pick<Prices, "digits">, text: string): bigint | undefined {
  const [, sign, whole, fraction = ""] = decimal.exec(text) ?? [];
  if (whole === undefined || fraction.length > digits) {
    return undefined;
  }
  const amount = BigInt(whole + fraction.padEnd(digits, "0"));
  return sign === "-" ? -amount : amount;
}
