import { domainToASCII } from "node:url";

/** The parts of a mail address. */
export interface MailAddress {
  /** As given, without surrounding blanks. */
  readonly local: string;
  /** In lower case, internationalised names as punycode (RFC 5891). */
  readonly domain: string;
}

/** Letters and digits of any script and the symbols of a dot-atom (RFC 5322 §3.2.3, RFC 6531 §3.3); no quoted forms. */
const localPart = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u;
/** The characters of a host name before IDNA. `domainToASCII` parses URLs, and would drop or decode any others. */
const internationalHostname = /^[\p{L}\p{M}\p{N}\p{Join_Control}.\u3002\uff0e\uff61-]+$/u;
const hostname = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Blanks and format characters, such as direction marks, that came along when an address was copied. The lookbehind keeps the
 * time linear: the text may be of any length.
 */
const around = /^[\s\p{Cf}]+|(?<![\s\p{Cf}])[\s\p{Cf}]+$/gu;

/** Why a text is not an address. */
export type MailAddressProblem = "no_at_sign" | "too_long" | "invalid_local_part" | "invalid_domain";

/**
 * Reads an address by its form and length (RFC 5321 §4.5.3.1: 64 bytes before the `@`, 254 in all). Does not check whether the mailbox
 * exists.
 */
export function readMailAddress(given: string): MailAddress | MailAddressProblem {
  const text = given.replace(around, "");
  const at = text.lastIndexOf("@");
  const local = text.slice(0, Math.max(at, 0));
  if (at < 0) {
    return "no_at_sign";
  }
  if (Buffer.byteLength(text) > 254 || Buffer.byteLength(local) > 64) {
    return "too_long";
  }
  if (!localPart.test(local)) {
    return "invalid_local_part";
  }
  const name = text.slice(at + 1);
  const domain = internationalHostname.test(name) ? domainToASCII(name) : "";
  if (!hostname.test(domain)) {
    return "invalid_domain";
  }
  // Names in other scripts become longer in ASCII, which is what mail servers get.
  return Buffer.byteLength(local) + 1 + domain.length > 254 ? "too_long" : { local, domain };
}

/** As `readMailAddress`. Undefined if the text is not an address. */
export function parseMailAddress(given: string): MailAddress | undefined {
  const address = readMailAddress(given);
  return typeof address === "string" ? undefined : address;
}

/**
 * The local part as it is compared where two mailboxes must not be taken for one: composed (RFC 6532 §3.1), with ASCII letters
 * in lower case. Folding more would let the owner of one mailbox pass for another's: some providers have a mailbox per `+tag`,
 * and other scripts have letters that fold into ASCII.
 */
export function exactLocal(local: string): string {
  return local.normalize("NFC").replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** The owner of the demo workspace that a first start creates. It cannot receive mail, and nobody can sign up with it. */
export const demoAddress = "demo@localhost";

/** The form in which accounts' addresses are stored and compared. Undefined if the text is not an address. */
export function parseAccountAddress(text: string): string | undefined {
  return fold(text, exactLocal);
}

/** The form in which earlier versions stored them. Undefined if the text is not an address. */
export function parseLegacyAccountAddress(text: string): string | undefined {
  return fold(text, (local) => local.normalize("NFKC").toLowerCase());
}

/** Undefined if the folded text is not an address: nobody could receive mail there to prove it. */
function fold(text: string, foldLocal: (local: string) => string): string | undefined {
  const address = parseMailAddress(text);
  const folded = address && `${foldLocal(address.local)}@${address.domain}`;
  return folded === undefined || parseMailAddress(folded) === undefined ? undefined : folded;
}
