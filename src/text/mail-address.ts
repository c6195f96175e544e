import { domainToASCII } from "node:url";

/** A mail address, taken apart. */
export interface MailAddress {
  /** As given, without what stands around the address. */
  readonly local: string;
  /** In lower case, internationalised names as punycode (RFC 5891). */
  readonly domain: string;
}

/** Letters and digits of any script and the symbols of a dot-atom (RFC 5322 §3.2.3, RFC 6531 §3.3); no quoted forms. */
const localPart = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u;
/** What a host name may be made of before IDNA: `domainToASCII` is a parser of URLs, and would drop or decode the rest. */
const internationalHostname = /^[\p{L}\p{M}\p{N}\p{Join_Control}.\u3002\uff0e\uff61-]+$/u;
const hostname = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Blanks and format characters, such as marks of direction, that came along where an address was copied. The lookbehind keeps
 * the time linear: this also reads text that is refused for its length.
 */
const around = /^[\s\p{Cf}]+|(?<![\s\p{Cf}])[\s\p{Cf}]+$/gu;

/**
 * Takes an address apart, by shape and length (RFC 5321 §4.5.3.1: 64 bytes before the `@`, 254 in all). Undefined if it
 * is none. Whether anybody reads mail there, only mail can tell.
 */
export function parseMailAddress(given: string): MailAddress | undefined {
  const text = given.replace(around, "");
  const at = text.lastIndexOf("@");
  const local = text.slice(0, Math.max(at, 0));
  if (Buffer.byteLength(text) > 254 || Buffer.byteLength(local) > 64 || !localPart.test(local)) {
    return undefined;
  }
  const name = text.slice(at + 1);
  const domain = internationalHostname.test(name) ? domainToASCII(name) : "";
  return hostname.test(domain) ? { local, domain } : undefined;
}

/**
 * The local part as it is compared where two addresses must not be taken for one: composed (RFC 6532 §3.1) and with ASCII
 * letters in lower case. More would let who has one mailbox pass for who has another: a `+tag` is a mailbox of its own at
 * some providers, and other scripts have letters that fold into ASCII.
 */
export function exactLocal(local: string): string {
  return local.normalize("NFC").replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** The owner of the workspace that a first start makes. No mail can be sent to it, and nobody can sign up with it. */
export const demoAddress = "demo@localhost";

/** The form in which addresses of accounts are stored and compared. Undefined if it is none. */
export function parseAccountAddress(text: string): string | undefined {
  return fold(text, exactLocal);
}

/** The form in which they were stored before it was that one. Undefined if it is none. */
export function parseLegacyAccountAddress(text: string): string | undefined {
  return fold(text, (local) => local.normalize("NFKC").toLowerCase());
}

/** What is no address once it is folded could never be proved. */
function fold(text: string, foldLocal: (local: string) => string): string | undefined {
  const address = parseMailAddress(text);
  const folded = address && `${foldLocal(address.local)}@${address.domain}`;
  return folded === undefined || parseMailAddress(folded) === undefined ? undefined : folded;
}
