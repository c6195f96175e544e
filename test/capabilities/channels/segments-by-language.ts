import type { Approval } from "../../../src/capabilities/channels/outgoing-message.ts";
import { providerText } from "../../../src/capabilities/channels/provider-text.ts";
import { countSegments, isGsm7 } from "../../../src/capabilities/channels/sms-text/segments.ts";
import { type LanguageTag, languageTags } from "../../../src/capabilities/channels/texts/language-tags.ts";
import { codeMessage, fixedNow } from "./messages.ts";

interface Sms {
  readonly brand: string;
  readonly expiresInS?: number;
  readonly autofillDomain?: string;
  readonly approval?: Approval;
}

/** The text message with a code of six digits, valid for five minutes unless said otherwise. */
export function smsIn(locale: LanguageTag, { expiresInS = 300, ...given }: Sms): string {
  const expiresAt = new Date(fixedNow.getTime() + expiresInS * 1_000);
  return providerText(codeMessage({ channel: "sms", locale, expiresAt, ...given }), fixedNow);
}

const longestBrand = "Acme International Trading Company (USA)";

/** A table for the guide: in how many parts the text messages of each language are sent. */
export function segmentsByLanguage(): string {
  const rows = languageTags.map((tag) => {
    const short = smsIn(tag, { brand: "Acme" });
    const parts = [
      short,
      smsIn(tag, { brand: "Acme", autofillDomain: "acme.example" }),
      smsIn(tag, { brand: longestBrand }),
      smsIn(tag, { brand: "Acme", approval: { payee: "Shop GmbH", amount: { value: "10.50", currency: "EUR" } } }),
    ].map(countSegments);
    return `| \`${tag}\` | ${short} | ${isGsm7(short) ? "GSM-7" : "UCS-2"} | ${short.length} | ${parts.join(" | ")} |`;
  });
  return [
    "| language | message | alphabet | length | parts | with an autofill line | with a brand of 40 characters | for a payment |",
    "|---|---|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}
