/**
 * Whether a program that shows the text could turn a part of it into a link: a scheme, `//`, `www.`, a mail address, or a host
 * with a port, path, query or fragment. A bare `Booking.com` is a name, and allowed.
 *
 * Also checks what the text may become on its way to a reader: compatibility forms, look-alike dots and slashes, invisible
 * characters, and escapes of URLs, HTML, JSON and mail, nested in each other. What is nested deeper than anybody writes counts as an
 * address: each level takes as long as the whole text.
 */
export function hasWebAddress(text: string): boolean {
  let reading = fold(text);
  if (!ofAddresses.test(reading)) {
    return false;
  }
  for (let level = 0; level <= maxNesting; level += 1) {
    if (addresses.some((address) => address.test(reading))) {
      return true;
    }
    const decoded = fold(decodeOnce(reading));
    if (decoded === reading) {
      return false;
    }
    reading = decoded;
  }
  return true;
}

const maxNesting = 16;

const topLevel = String.raw`(?:xn--[a-z\d-]+|[\p{L}\p{M}]{2,})`;

/** Letters of other scripts than Latin do not make another word of a scheme: many programs know only those of ASCII. */
const addresses: readonly RegExp[] = [
  // "Who's it //for" is one too; "A // B" is not. Outlook links `\\host\share`.
  /[/\\]{2}[^\s/\\]/u,
  /(?<![\p{sc=Latn}\p{N}])(?:https?|ftps?|sftp|file|mailto|javascript|vbscript|callto|facetime|skype|sips?|xmpp|magnet):\S/iu,
  /(?<![\p{sc=Latn}\p{N}])(?:(?:tel|sms|smsto|geo):[+\d]|data:[\w-]+\/)/iu,
  /(?<![\p{sc=Latn}\p{N}])www\d{0,3}\.\S/iu,
  // An internationalized host in its ASCII form (RFC 3490 §5).
  /(?<![\p{sc=Latn}\p{N}])xn--/iu,
  // With or without something before the @: `@example.com #123456` binds a code to a domain.
  new RegExp(String.raw`@[^\s@]*[^\s@.]\.+${topLevel}`, "iu"),
  /(?:^|\s)@\S+\s+#\S/u,
  new RegExp(String.raw`[^\s.]\.+${topLevel}\.*(?:[/\\]|[:?#]\S)`, "iu"),
  /(?<!\d)\d{1,3}(?:\.\d{1,3}){3}(?:[/\\]|[:?#]\S)/u,
  // An encoded word (RFC 2047) or a numbered character of HTML, which needs no semicolon: decoded, it can be anything.
  /=\?/u,
  /&#x?[\da-f]/iu,
];

/** One of these is in every address, and in every escape. */
const ofAddresses = /[./\\:@#=&%]|xn--/iu;

/** Characters that look like others. Those with compatibility forms (`／`, `．`, `：`) are not listed: NFKC maps them. */
const dots = /[。۔܁܂꘎ꓸ·‧∙⋅]/gu;
const lookalikes: readonly (readonly [RegExp, string])[] = [
  // The full stops of IDNA (RFC 3490 §3.1) and others; the middle dot.
  [dots, "."],
  [/[⁄∕⧸╱⟋〳᜵]/gu, "/"],
  [/[∖⧵⧹╲⟍]/gu, "\\"],
  [/[ː˸։׃፡∶꞉]/gu, ":"],
];

function fold(text: string): string {
  // Again after NFKC, which produces some invisible characters.
  const visible = text.replace(invisible, "").normalize("NFKC").replace(invisible, "");
  return lookalikes.reduce((folded, [signs, sign]) => folded.replace(signs, sign), visible);
}

/** The text with full stops in place of the signs that look like one, as hosts have them. */
export function withPlainDots(text: string): string {
  return text.replace(dots, ".");
}

const invisible = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

/** Named character references of HTML that can be part of an address. */
const named: Readonly<Record<string, string>> = {
  amp: "&",
  period: ".",
  sol: "/",
  bsol: "\\",
  colon: ":",
  quest: "?",
  num: "#",
  commat: "@",
  equals: "=",
  percnt: "%",
  frasl: "/",
  setminus: "\\",
  setmn: "\\",
  smallsetminus: "\\",
  ssetmn: "\\",
  backslash: "\\",
  ratio: ":",
  sdot: ".",
  middot: "·",
  centerdot: "·",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
  shy: "",
  zwj: "",
  zwnj: "",
  lrm: "",
  rlm: "",
  zerowidthspace: "",
  nobreak: "",
  tab: " ",
  newline: " ",
};

const escapes = /&([a-z]{2,14});|[\\%]u([\da-f]{4})|\\u\{([\da-f]{1,6})\}|\\x([\da-f]{2})|((?:[%=][\da-f]{2})+)/giu;

/** HTML also accepts it without a semicolon. Decoded last: `&amp` may be the start of another reference. */
const unterminated = /&amp/giu;

/** Decodes the escapes of HTML, of JSON and scripts, of URLs, and of quoted-printable, once. */
function decodeOnce(text: string): string {
  const decoded = text.replace(escapes, (whole, name?: string, ...coded: readonly (string | undefined)[]) => {
    const [unit, codePoint, byte, bytes] = coded;
    if (name !== undefined) {
      return named[name.toLowerCase()] ?? whole;
    }
    return bytes === undefined
      ? characterOf(unit ?? codePoint ?? byte ?? "")
      : Buffer.from(bytes.replace(/[%=]/g, ""), "hex").toString("utf8");
  });
  return decoded === text ? text.replace(unterminated, "&") : decoded;
}

function characterOf(hex: string): string {
  const codePoint = Number.parseInt(hex, 16);
  return String.fromCodePoint(codePoint <= 0x10_ff_ff ? codePoint : 0xff_fd);
}
