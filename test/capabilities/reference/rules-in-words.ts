/** Rules that JSON Schema cannot express, and that the document states in descriptions instead. */
import fc from "fast-check";
import { type CountryCode, getExampleNumber } from "libphonenumber-js/max";
import examples from "libphonenumber-js/mobile/examples";
import { formatPageToken } from "../../../src/rpc/page-token.ts";
import type { Members } from "./schema-arbitrary.ts";

/** A rule that no keyword can express. The generator draws values that keep it. */
export interface RuleInWords {
  readonly fields: readonly string[];
  /** By default, all that have such a field. */
  readonly operations?: readonly string[];
  readonly reason: string;
  /** Matches the description of each of the fields. */
  readonly said: RegExp;
  /** The value, by what else the request has. `undefined` leaves the field out. */
  readonly draw: (others: Members, operationId: string) => fc.Arbitrary<unknown>;
}

const countries: readonly CountryCode[] = ["SG", "DE", "US", "BR", "IN", "NG", "JP"];
const phoneNumbers = fc
  .tuple(fc.constantFrom(...countries), fc.constantFrom("E.164", "INTERNATIONAL"))
  .map(([country, format]) =>
    getExampleNumber(country, examples)?.format(format === "E.164" ? format : "INTERNATIONAL"),
  );

const localParts = fc.oneof(
  fc.emailAddress().map((address) => address.slice(0, address.lastIndexOf("@"))),
  fc.constantFrom("ada+tag", "müller", "用户", "o'neil", "x".repeat(64)),
);
const domains = fc.oneof(fc.domain(), fc.constantFrom("bücher.example", "例え.jp", "xn--bcher-kva.example"));
const mailAddresses = fc
  .tuple(localParts, domains)
  .map(([local, domain]) => `${local}@${domain}`)
  .filter((address) => Buffer.byteLength(address) <= 254);

const recipientFor = (channel: unknown) => {
  if (channel === undefined || channel === null) {
    return fc.oneof(phoneNumbers, mailAddresses);
  }
  return channel === "email" ? mailAddresses : phoneNumbers;
};

/** Steps that have a recipient where the start has none for their channel, all the same one. */
function fallbackFor(channel: unknown) {
  const others = ["sms", "voice", "whatsapp", "email"].filter((other) => other !== channel);
  const isOther = (step: string) => (step === "email") !== (channel === "email");
  return fc
    .tuple(fc.shuffledSubarray(others), channel === "email" ? phoneNumbers : mailAddresses)
    .map(([steps, recipient]) => steps.map((step) => ({ channel: step, ...(isOther(step) ? { recipient } : {}) })));
}

const letters = fc.constantFrom(..."aZ09éßЖ中ア한 '!-+👍");
const lines = (maxLength: number) => fc.array(letters, { maxLength: maxLength - 1 }).map((text) => `N${text.join("")}`);
/** Of templates: other digits than the code's could be taken for it. */
const plainLines = lines(100).map((line) => line.replace(/\p{N}/gu, "n"));

const isGiven = (member: unknown) => member !== undefined && member !== null;

const amounts = fc.oneof(
  fc.constantFrom(
    { value: "999999999999.99", currency: "EUR" },
    { value: "0.1", currency: "USD" },
    { value: "1000", currency: "JPY" },
    { value: "0.001", currency: "KWD" },
  ),
  fc.integer({ min: 1, max: 10 ** 9 }).map((whole) => ({ value: String(whole), currency: "SGD" })),
);

const addressRanges = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.constantFrom("0.0.0.0/0", "::/0", "203.0.113.0/24", "203.0.113.7/32", "2001:db8::/48", "::ffff:192.0.2.0/120"),
);

const pageEnds = fc
  .record({
    createdAt: fc.date({ min: new Date(0), noInvalidDate: true, max: new Date("9999-12-31") }),
    letter: fc.constantFrom(..."aZ9"),
  })
  .map(({ createdAt, letter }) => ({ createdAt, id: letter.repeat(22) }));
const idPrefixes: Readonly<Record<string, string>> = {
  listVerifications: "vrf",
  listApiKeys: "key",
  listEvents: "evt",
  listSuppressions: "sup",
  exportRecipient: "vrf",
  listLookups: "lkp",
  listWebhookDeliveries: "dlv",
};

const isDraftOfMail = (channel: unknown, text: unknown) => channel === "email" && typeof text === "string";

const smallPng = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=";

/** All of them: a request that matches the document and keeps these rules passes validation. */
export const rulesInWords: readonly RuleInWords[] = [
  {
    fields: ["numbers"],
    operations: ["batchLookup"],
    reason: "how much a body may have has no keyword",
    said: /at most 256 KiB/,
    draw: () => {
      const item = fc.record(
        { number: phoneNumbers, country: fc.string(), reference: fc.string() },
        { requiredKeys: [] },
      );
      return fc.oneof(
        fc.array(item, { minLength: 1, maxLength: 10 }),
        item.map((one) => Array.from({ length: 1_000 }, () => ({ ...one, reference: "r" }))),
      );
    },
  },
  {
    fields: ["number"],
    operations: ["addSafeListEntry"],
    reason: "a phone number has to be possible in its region",
    said: /E\.164.*range of numbers/s,
    draw: () => fc.oneof(phoneNumbers, fc.constantFrom("+65912x", "+62x", "+4915112345x")),
  },
  {
    fields: ["allowed_countries", "blocked_countries"],
    reason: "which countries there are changes",
    said: /ISO 3166.*that have phone numbers/s,
    draw: () => fc.shuffledSubarray([...countries]),
  },
  {
    fields: ["recipient"],
    reason: "a phone number has to be possible in its region, and the channel decides which form it takes",
    said: /E\.164|form that the channel takes/,
    draw: ({ channel }, operationId) => recipientFor(operationId === "listVerifications" ? undefined : channel),
  },
  {
    fields: ["fallback"],
    operations: ["startVerification"],
    reason: "each channel occurs once, and so does the recipient of each form: that depends on other members",
    said: /each channel once/,
    draw: ({ channel }) =>
      fc
        .tuple(fallbackFor(channel), fc.integer({ min: 5, max: 600 }))
        .map(([steps, afterSeconds]) =>
          steps.map((step, index) => (index === 0 ? { ...step, after_seconds: afterSeconds } : step)),
        ),
  },
  {
    fields: ["email"],
    operations: ["signUp", "startPasswordReset"],
    reason: "letters of all scripts have no class in portable patterns, and lengths are counted in bytes",
    said: /letters of any script/,
    draw: () => mailAddresses,
  },
  {
    fields: ["brand", "name"],
    reason: "characters that are not seen, and web addresses in all their spellings, are no regular language",
    said: /not blank|same rules as a `brand`/,
    draw: (_, operationId) => lines(["startVerification", "previewTemplate"].includes(operationId) ? 40 : 100),
  },
  {
    fields: ["payee"],
    reason: "a start has it with an amount, and over channels that can show it; the rest is as for a brand",
    said: /rules of a `brand` apply. Needs `amount`|as the start had it/,
    draw: ({ amount, channel, fallback }, operationId) => {
      const steps = Array.isArray(fallback) ? fallback : [];
      const canBeShown = channel !== "whatsapp" && !steps.some((step) => step.channel === "whatsapp");
      const isWanted = operationId === "checkVerification" || (isGiven(amount) && canBeShown);
      return isWanted ? lines(70) : fc.constant(undefined);
    },
  },
  {
    fields: ["amount"],
    operations: ["startVerification", "checkVerification"],
    reason: "a start has it with a payee; how many digits follow the point depends on the currency",
    said: /Needs `payee`|as the start had it/,
    draw: ({ payee }, operationId) =>
      operationId === "checkVerification" || isGiven(payee) ? amounts : fc.constant(undefined),
  },
  {
    fields: ["code_in_subject"],
    reason: "it depends on another member",
    said: /Not with `payee` and `amount`/,
    draw: ({ payee }) => (isGiven(payee) ? fc.constant(false) : fc.boolean()),
  },
  {
    fields: ["subject"],
    operations: ["putTemplate", "previewTemplate"],
    reason:
      "which placeholders a text has, and that it has no web address, is no regular language; only mail has a subject",
    said: /The subject of a mail|Only mail/,
    draw: ({ channel, text }) => (isDraftOfMail(channel, text) ? plainLines : fc.constant(undefined)),
  },
  {
    fields: ["text"],
    operations: ["putTemplate", "previewTemplate"],
    reason: "which placeholders a text has, and that it has no web address, is no regular language",
    said: /with `\{\{code\}\}` in it/,
    draw: () => plainLines.map((line) => `${line} {{code}} {{brand}}.`),
  },
  {
    fields: ["html"],
    operations: ["putTemplate", "previewTemplate"],
    reason: "HTML is no regular language",
    said: /with `\{\{code\}\}` in it/,
    draw: ({ channel, text }) =>
      isDraftOfMail(channel, text) ? plainLines.map((line) => `<p>${line} {{code}}</p>`) : fc.constant(undefined),
  },
  {
    fields: ["logo"],
    operations: ["putTemplate", "previewTemplate"],
    reason: "a picture is no regular language; HTML has to place it",
    said: /only mail has one.*unless `html` places it/s,
    draw: ({ channel, text, html }) =>
      fc.constant(isDraftOfMail(channel, text) && (html ?? undefined) === undefined ? smallPng : undefined),
  },
  {
    fields: ["background_color", "accent_color"],
    operations: ["putTemplate", "previewTemplate"],
    reason: "contrast is arithmetic; only mail has colors",
    said: /Only mail has colors/,
    draw: ({ channel, text }) => fc.constant(isDraftOfMail(channel, text) ? "#FFEEdd" : undefined),
  },
  {
    fields: ["text_color"],
    operations: ["putTemplate", "previewTemplate"],
    reason: "contrast is arithmetic; only mail has colors",
    said: /contrast with the background/,
    draw: ({ channel, text }) => fc.constant(isDraftOfMail(channel, text) ? "#102030" : undefined),
  },
  {
    fields: ["reason", "description"],
    reason: "characters that are not seen have no class in portable patterns",
    said: /in one line/,
    draw: () => lines(200),
  },
  {
    fields: ["password", "new_password"],
    operations: ["signUp", "changePassword", "confirmPasswordReset"],
    reason: "passwords that are easy to guess are a list of thousands, and the account's address",
    said: /Common passwords are refused/,
    draw: () => fc.string({ unit: "grapheme-ascii", maxLength: 110 }).map((text) => `${text} battery staple`),
  },
  {
    fields: ["refresh_token"],
    reason: "a header decides whether it is required",
    said: /Required, unless the session is in a cookie/,
    draw: () => fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 256 }),
  },
  {
    fields: ["expires_at"],
    reason: "a schema does not know what time it is",
    said: /must be in the future/,
    draw: () => fc.constantFrom("2999-01-01T00:00:00Z", "2999-12-31T23:59:59.999999999+05:30"),
  },
  {
    fields: ["url"],
    reason: "that an address is public is arithmetic, and a URL has more forms than a pattern can tell",
    said: /`https` URL with a public address/,
    // No name of `example` has an address: nothing is sent.
    draw: () =>
      fc
        .tuple(fc.domain(), fc.constantFrom("", ":8443"), fc.webPath(), fc.constantFrom("", "?a=b", "?é=%20"))
        .map(([name, port, path, query]) => `https://${name}.example${port}${path === "" ? "/" : path}${query}`),
  },
  {
    fields: ["hook"],
    operations: ["updateGuard"],
    reason: 'its URL is judged as that of a webhook, and "" removes it',
    said: /endpoint that is asked before each code.*With the URL `""`/s,
    draw: () =>
      fc.record({
        url: fc.oneof(
          fc.constant(""),
          fc.domain().map((name) => `https://${name}.example/hook`),
        ),
        on_failure: fc.constantFrom("allow", "refuse"),
      }),
  },
  {
    fields: ["ip_allowlist"],
    reason: "two forms of address have no one format, and that no bits are set beyond the prefix is arithmetic",
    said: /IPv4 and IPv6 addresses.*bits after the prefix are 0/s,
    draw: () => fc.array(addressRanges, { minLength: 1, maxLength: 100 }),
  },
  {
    fields: ["origins"],
    reason: "hosts in any script have no one format, and a publishable key has none of what a secret one has",
    said: /origins whose pages may use/,
    draw: ({ scopes, require_signature, min_signature_version }, operationId) =>
      operationId === "createApiKey" &&
      (isGiven(scopes) || require_signature === true || isGiven(min_signature_version))
        ? fc.constant(undefined)
        : fc.array(
            fc.oneof(
              fc.domain().map((name) => `https://${name}`),
              fc.constantFrom("https://bücher.example", "https://shop.example:8443", "http://localhost:3000"),
            ),
            { minLength: 1, maxLength: 20 },
          ),
  },
  {
    fields: ["end_user_ip"],
    reason: "two forms of address have no one format",
    said: /IPv4 or IPv6 address/,
    draw: () => fc.oneof(fc.ipV4(), fc.ipV6()),
  },
  {
    fields: ["from"],
    operations: ["getUsage", "getVerificationReport"],
    reason: "months have different lengths, and a period has an end and a longest length",
    said: /The first day, such as/,
    draw: ({ until }) => (isGiven(until) ? fc.constantFrom("2026-02-28", "2026-05-01") : fc.constant(undefined)),
  },
  {
    fields: ["until"],
    operations: ["getUsage", "getVerificationReport"],
    reason: "months have different lengths, and a period has a longest length",
    said: /366 days at most/,
    draw: () => fc.constantFrom("2026-05-31", "2026-12-31"),
  },
  {
    fields: ["time_zone"],
    reason: "which time zones there are changes",
    said: /IANA database/,
    draw: () => fc.constantFrom(...Intl.supportedValuesOf("timeZone")),
  },
  {
    fields: ["page_token"],
    reason: "it is a token that an answer has",
    said: /`next_page_token` of the page before/,
    draw: (_, operationId) =>
      pageEnds.map(({ createdAt, id }) =>
        operationId === "listBalanceEntries"
          ? Buffer.from(`${createdAt.getTime()} charge dlv_${id}`).toString("base64url")
          : formatPageToken({ createdAt, id: `${idPrefixes[operationId]}_${id}` }),
      ),
  },
  {
    fields: ["min_signature_version"],
    operations: ["updateApiKey"],
    reason: "it depends on another member",
    said: /cannot be given together with `require_signature: false`/,
    draw: ({ require_signature }) =>
      require_signature === false ? fc.constant(undefined) : fc.constantFrom("v1", "v2"),
  },
];

/** The rules of an operation's field. */
export function rulesInWordsOf(operationId: string, field: string): RuleInWords[] {
  return rulesInWords.filter(
    ({ fields, operations }) => fields.includes(field) && (operations?.includes(operationId) ?? true),
  );
}
