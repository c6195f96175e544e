import { hasHiding, hasUnreadable } from "../../text/display-name-rules.ts";
import { hasWebAddress, withPlainDots } from "../../text/web-address.ts";
import {
  fillIn,
  type PlaceholderName,
  placeholdersOf,
  type TextParts,
} from "../channels/own-texts/message-template.ts";
import {
  maxPlaceholders,
  maxPlaceholdersOfWord,
  maxWordLength,
  maxWordLengthAtPlaceholders,
} from "./templates.policy.ts";
import { alteredValue } from "./value-surroundings.ts";

/** Brands and payees that make an address, or a line for phones, of a text that has its other half. They may be called so. */
const halves = ["Booking.com", "/login", "?x", ":x", "@x", "#1"];

/** How the text was read: cells of a table apart, or beside each other, where their edges keep numbers apart. */
export type CellReading = "apart" | "beside";

type Values = Readonly<Record<PlaceholderName, string>>;

/** Values of the placeholders of a text: each half for the brand beside each one for the payee, if it has both. */
function examplesFor(parts: TextParts): readonly Values[] {
  const names = placeholdersOf(parts);
  const [brands, payees] = (["brand", "payee"] as const).map((name) => (names.includes(name) ? halves : ["x"]));
  return (brands ?? []).flatMap((brand) =>
    (payees ?? []).map((payee) => ({
      code: "123456",
      brand,
      minutes: "5",
      time: "5 minutes",
      payee,
      amount: "EUR 10.50",
    })),
  );
}

/** A character by its number or its name, or in an escape. In a text it is shown as it is written, or hides what a program makes of it. */
const characterReference = /&(?:#|[a-z]\w*;|amp)|[%=][\da-f]{2}|[\\%](?:u[\da-f]{4}|u\{|x[\da-f]{2})/i;

/** A name of a host, which phones make a link of, as mail programs do. In scripts other than ASCII, only after a full stop of ASCII. */
const hostName = /[\p{L}\p{M}\p{N}-]\.(?:[a-z]{2,24}(?![\p{L}\p{N}])|xn--)/iu;
const hostOfAnyScript = /[\p{L}\p{M}\p{N}-]\.\p{L}[\p{L}\p{M}]{1,23}(?![\p{L}\p{M}\p{N}])/iu;

/** As people write it who do not want a link to be seen as one: `bit[.]ly`. */
const disguisedDot = / ?[[({] ?(?:\.|dot) ?[\])}] ?/gi;

/** From which phones fill in a code on the host. Some look for it within lines, too. Japanese has no blank before a name: `@xから#1へ`. */
const boundCode = /(?:^|\s)@(?:[!-~]+\s*|\S+\s+)#\S/;

/** Nothing that any web address is without. Most words are such, and to look for addresses takes a while. */
const plainWord = /^(?!.*xn--)[a-z0-9,;!?'"()-]*$/i;

/**
 * Chinese and Japanese have no spaces between words, but after most signs. Those that are full stops, colons and slashes to programs are not
 * among them, except the full stop before letters of these languages.
 */
const betweenWords = /\s+|(?<=[、，！？；「」『』【】《》])|(?<=。)(?=[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}])/u;
/** A value ends before such letters: `{{brand}}验证码：{{code}}` has no host in it. */
const beginsWithSpaceless = /^[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}]/u;

/** Blanks that are shown one by one, and push what follows out of sight. */
const gap = /[\u00a0\u2000-\u200a\u202f\u205f\u3000]{3}/;

/**
 * What is wrong with what a reader sees of a text: the plain text, or that of HTML, with a line for each block. Undefined if nothing is. It
 * must lead nobody anywhere, show no other code and amount than the message's, and look the same to everybody. Takes time in proportion to the
 * length: only words with placeholders are read with their values.
 */
export function textProblem(parts: TextParts, cells: CellReading = "apart"): string | undefined {
  if (placeholdersOf(parts).length > maxPlaceholders) {
    return `must have at most ${maxPlaceholders} placeholders`;
  }
  const lines = linesOf(parts);
  const withValues = lines.filter((line) => line.some((part) => typeof part !== "string"));
  const ownLines = new Set(lines.map((line) => fillIn(line, () => "x")));
  return (
    firstProblem(ownLines, lineRule) ??
    firstProblem(new Set([...ownLines].flatMap((line) => line.split(betweenWords))), wordRule) ??
    firstProblem(withValues, (line) => valueRule(line, cells)) ??
    firstProblem(ownLines, hostRule)
  );
}

function firstProblem<T>(all: Iterable<T>, rule: (each: T) => string | undefined): string | undefined {
  for (const each of all) {
    const problem = rule(each);
    if (problem !== undefined) {
      return problem;
    }
  }
  return undefined;
}

/** The lines of a text. No value has a line break in it. */
function linesOf(parts: TextParts): readonly TextParts[] {
  return divided(parts, /\r?\n/);
}

function divided(parts: TextParts, separator: RegExp): readonly TextParts[] {
  let last: TextParts[number][] = [];
  const all = [last];
  for (const part of parts) {
    const pieces = typeof part === "string" ? part.split(separator) : [part];
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) {
        last = [];
        all.push(last);
      }
      if (piece !== "") {
        last.push(piece);
      }
    }
  }
  return all;
}

function lineRule(line: string): string | undefined {
  if (hasUnreadable(line.replaceAll("\t", " ")) || hasHiding(line)) {
    return "must not contain control characters, or characters that are invisible or change the direction of writing";
  }
  if (gap.test(line)) {
    return "must have at most two blanks in a row that are shown one by one";
  }
  const folded = line.normalize("NFKC");
  if (/^\s*@/.test(folded)) {
    return "must have no line that begins with @: such lines tell browsers and phones where to fill in the code";
  }
  return characterReference.test(folded)
    ? "must contain characters themselves, not their names, numbers or escapes, such as &amp; or &#64; or %40"
    : undefined;
}

const address = "must not contain a web address or a mail address, not with the value of a placeholder either";

function wordRule(word: string): string | undefined {
  // One character can be eighteen.
  if (word.length > maxWordLength || word.normalize("NFKC").length > maxWordLength) {
    return `must have a space at least every ${maxWordLength} characters`;
  }
  return !plainWord.test(word) && hasWebAddress(word) ? address : undefined;
}

function hostRule(line: string): string | undefined {
  const plain = line.normalize("NFKC").replace(disguisedDot, ".");
  // Between the l's of Catalan, a middle dot is a letter's.
  const folded = withPlainDots(plain.replace(/(?<=l)·(?=l)/gi, ""));
  const found = hostName.exec(folded) ?? hostOfAnyScript.exec(plain);
  if (found !== null) {
    return `must not contain the name of a host such as acme.com, which phones make a link of; {{brand}} may be one. Put a space after a full stop: "${wordAt(found)}"`;
  }
  return boundCode.test(plain) ? boundCodeProblem("") : undefined;
}

/** The end of the word before the full stop, and what follows it. */
function wordAt({ input, index, 0: found }: RegExpExecArray): string {
  const word = /\S*$/.exec(input.slice(Math.max(0, index - 60), index))?.[0] ?? "";
  return word + found;
}

function boundCodeProblem(because: string): string {
  return `must have no text in the form @example.com #123456${because}: phones fill in codes there`;
}

/** The problem of a line that has placeholders. */
function valueRule(line: TextParts, cells: CellReading): string | undefined {
  const altered = cells === "apart" ? alteredValue(line) : undefined;
  if (altered !== undefined) {
    return `must have a space or a line break between {{${altered.placeholder}}} and letters, digits, signs or placeholders beside it, and words between it and digits: it would be read as another one in "${altered.found}"`;
  }
  if (line.some((part, index) => index > 0 && typeof part === "string" && /^\p{M}/u.test(part))) {
    return "must have no accent or other mark on a placeholder";
  }
  const near = line.map((part) => (typeof part === "string" ? endsOf(part) : part));
  const words = near.map((part, index) =>
    index > 0 && typeof part === "string" && beginsWithSpaceless.test(part) ? ` ${part}` : part,
  );
  for (const word of divided(words, betweenWords)) {
    const problem = placeholdersOf(word).length === 0 ? undefined : wordProblem(word);
    if (problem !== undefined) {
      return problem;
    }
  }
  for (const values of examplesFor(line)) {
    if (boundCode.test(fillIn(near, (name) => values[name]))) {
      const named = placeholdersOf(line)
        .filter((name) => name === "brand" || name === "payee")
        .map((name) => `${name} ${values[name]}`);
      return boundCodeProblem(
        named.length === 0 ? "" : `, as it has with the ${[...new Set(named)].join(" and the ")}`,
      );
    }
  }
  return undefined;
}

function wordProblem(word: TextParts): string | undefined {
  if (placeholdersOf(word).length > maxPlaceholdersOfWord) {
    return `must have a space between placeholders: at most ${maxPlaceholdersOfWord} may be without`;
  }
  if (fillIn(word, () => "").normalize("NFKC").length > maxWordLengthAtPlaceholders) {
    return `must have a space at least every ${maxWordLengthAtPlaceholders} characters beside a placeholder`;
  }
  const isAddress = examplesFor(word).some((values) =>
    fillIn(word, (name) => values[name])
      .split(/\s+/)
      .some((each) => !plainWord.test(each) && hasWebAddress(each)),
  );
  return isAddress ? address : undefined;
}

/** What of a text between placeholders can be in one form with their values: a word on each side, and the sign after the first. */
function endsOf(part: string): string {
  const start = /^\s*\S*\s*\S?/.exec(part)?.[0] ?? "";
  let from = part.trimEnd().length;
  while (from > 0 && /\S/.test(part.charAt(from - 1))) {
    from -= 1;
  }
  const end = part.slice(Math.max(0, from - 1));
  return start.length + end.length >= part.length ? part : `${start}\n${end}`;
}
