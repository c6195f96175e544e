import { hasUnreadable } from "../../text/display-name-rules.ts";
import { hasWebAddress } from "../../text/web-address.ts";
import { fillIn, type PlaceholderName, type TextParts } from "../channels/own-texts/message-template.ts";
import { maxPlaceholders, maxWordLength } from "./templates.policy.ts";

/** Brands and payees that make an address, or a line for phones, of a text that has its other half. They may be called so. */
const halves = ["Booking.com", "/login", "?x", ":x", "@x", "#1"];

/** Values of the placeholders, with each half for the brand beside each one for the payee. */
const examples: readonly Readonly<Record<PlaceholderName, string>>[] = halves.flatMap((brand) =>
  halves.map((payee) => ({ code: "123456", brand, minutes: "5", time: "5 minutes", payee, amount: "EUR 10.50" })),
);

/** A character of HTML by its number or its name. In a text it is shown as it is written, or hides what a program makes of it. */
const characterReference = /&(?:#|[a-z]\w*;|amp)/i;

/** A name of a host (in ASCII at its end), which phones make a link of, as mail programs do. */
const hostName = /[\p{L}\p{N}-]\.[a-z]{2,24}(?![\p{L}\p{N}])/iu;

/** From which phones fill in a code on the host. Some look for it within lines, too. */
const boundCode = /(?:^|\s)@\S+\s*#\S/;

/** Nothing that any web address is without. Most words are such, and to look for addresses takes a while. */
const plainWord = /^(?!.*xn--)[a-z0-9,;!?'"()-]*$/i;

/**
 * What is wrong with what a reader sees of a text: the plain text, or that of HTML, with a line for each block. Undefined if nothing is. It
 * must lead nobody anywhere, and look the same to everybody.
 */
export function textProblem(parts: TextParts): string | undefined {
  const count = parts.filter((part) => typeof part !== "string").length;
  if (count > maxPlaceholders) {
    return `must have at most ${maxPlaceholders} placeholders`;
  }
  // Most lines and words are the same with all values, and are looked at once.
  const lines = new Set(examples.flatMap((values) => fillIn(parts, (name) => values[name]).split(/\r?\n/)));
  for (const line of lines) {
    const problem = lineRule(line);
    if (problem !== undefined) {
      return problem;
    }
  }
  const words = new Set([...lines].flatMap((line) => line.split(/\s+/)));
  if ([...words].some((word) => !plainWord.test(word) && hasWebAddress(word))) {
    return "must not contain a web address or a mail address, not with the value of a placeholder either";
  }
  const ownLines = fillIn(parts, () => "x")
    .normalize("NFKC")
    .split(/\r?\n/);
  if (ownLines.some((line) => hostName.test(line))) {
    return "must not contain the name of a host such as acme.com, which phones make a link of; {{brand}} may be one";
  }
  if (ownLines.some((line) => /^\s*@/.test(line))) {
    return "must have no line that begins with @: such lines tell browsers and phones where to fill in the code";
  }
  return [...lines].some((line) => boundCode.test(line))
    ? "must have no text in the form @example.com #123456, not with values either: phones fill in codes there"
    : undefined;
}

function lineRule(line: string): string | undefined {
  if (hasUnreadable(line.replaceAll("\t", " "))) {
    return "must not contain control characters, or characters that are invisible or change the direction of writing";
  }
  const words = line.split(/\s+/);
  if (words.some((word) => word.length > maxWordLength)) {
    return `must have a space at least every ${maxWordLength} characters`;
  }
  if (characterReference.test(line)) {
    return "must contain characters themselves, not their names or numbers, such as &amp; or &#64;";
  }
  return undefined;
}
