/** Domains that most addresses are at, so that a mistyped domain probably is one of them. The likelier ones first. */
const common = [
  ...["gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "aol.com", "live.com", "msn.com"],
  ...["proton.me", "protonmail.com", "googlemail.com", "yahoo.co.uk", "hotmail.co.uk", "hotmail.fr", "yahoo.fr"],
  ...["orange.fr", "wanadoo.fr", "laposte.net", "gmx.de", "gmx.net", "web.de", "t-online.de", "freenet.de"],
  ...[
    "yahoo.co.in",
    "rediffmail.com",
    "yahoo.co.jp",
    "yahoo.com.br",
    "uol.com.br",
    "libero.it",
    "yandex.ru",
    "mail.ru",
  ],
  ...["comcast.net", "verizon.net", "btinternet.com", "naver.com", "hanmail.net", "163.com", "126.com", "qq.com"],
];

/** Endings that are no top-level domain, and the one that is meant. */
const endings: ReadonlyMap<string, string> = new Map([
  ...["con", "cmo", "cpm", "ocm", "vom", "xom", "comm", "coom", "conm"].map((ending) => [ending, "com"] as const),
  ...["nte", "ner", "bet", "nett"].map((ending) => [ending, "net"] as const),
  ...["ogr", "prg", "orgg"].map((ending) => [ending, "org"] as const),
]);

/** Providers that differ by one letter from a common one. Lists of providers do not help: they have mistyped domains among them. */
const otherProviders: ReadonlySet<string> = new Set(["email.com", "mail.com", "ymail.com"]);

/**
 * The shortest common domain that others are compared with. What is near a shorter one is in use: `aon.com`, `bol.com`, `man.com` and
 * `love.com` have mailboxes.
 */
const shortestCompared = 9;

/** The domain, in ASCII, that was probably meant. Undefined if the domain does not look like a typing mistake. */
export function suggestDomain(domain: string): string | undefined {
  const [name, ending] = split(domain);
  const meantEnding = endings.get(ending);
  const mended = meantEnding === undefined ? domain : `${name}.${meantEnding}`;
  const isKnown = common.includes(mended) || otherProviders.has(mended);
  const meant = isKnown ? mended : common.find((candidate) => isMeant(mended, candidate));
  const suggested = meant ?? mended;
  return suggested === domain ? undefined : suggested;
}

function split(domain: string): readonly [name: string, ending: string] {
  const dot = domain.lastIndexOf(".");
  return [domain.slice(0, dot), domain.slice(dot + 1)];
}

/** Another country's domain of the same provider is no mistake: `hotmail.fi` for `hotmail.fr`. */
function isMeant(domain: string, candidate: string): boolean {
  const [[, ending], [, candidateEnding]] = [split(domain), split(candidate)];
  const isCountry = candidateEnding.length === 2;
  return (
    candidate.length >= shortestCompared &&
    (!isCountry || ending === candidateEnding) &&
    isOneMistake(domain, candidate)
  );
}

/** Whether one letter is missing, too much or another one, or two neighbours are exchanged (Damerau). */
function isOneMistake(text: string, meant: string): boolean {
  if (Math.abs(text.length - meant.length) > 1) {
    return false;
  }
  let start = 0;
  while (start < text.length && text[start] === meant[start]) {
    start += 1;
  }
  const rest = (shift: { readonly text: number; readonly meant: number }) =>
    text.slice(start + shift.text) === meant.slice(start + shift.meant);
  const isExchanged =
    text[start] === meant[start + 1] && text[start + 1] === meant[start] && rest({ text: 2, meant: 2 });
  return (
    text !== meant &&
    (rest({ text: 1, meant: 1 }) || rest({ text: 1, meant: 0 }) || rest({ text: 0, meant: 1 }) || isExchanged)
  );
}
