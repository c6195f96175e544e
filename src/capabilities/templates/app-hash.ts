import { fillIn, type PlaceholderName, type TextParts } from "../channels/own-texts/message-template.ts";

/**
 * Android gives a text message that ends with the hash of an app, eleven characters of Base64, to that app, which fills in the code. Older
 * versions want `<#>` at the beginning as well. A name can be anything that is allowed, so a text must not leave room for either to it.
 */
export function appHashProblem(parts: TextParts): string | undefined {
  if (oldBeginning.test(outlineOf(parts, "5").normalize("NFKC"))) {
    return "must not begin with <#>, not with values either: Android then looks for the app to give the code to";
  }
  const outlines = ["5", "42"].map((minutes) => outlineOf(parts, minutes).trimEnd());
  const endsWithHash = outlines.some((outline) => {
    const [, before, run = ""] = /(^|[^A-Za-z0-9+/])([A-Za-z0-9+/]*)$/.exec(outline) ?? [];
    return before === name ? run.length < hashLength : run.length === hashLength;
  });
  return endsWithHash
    ? "must not end with {{brand}} or {{payee}}, or with exactly eleven letters, digits, + and / such as FA+9qCX9VSu: Android gives the code to the app that they stand for. End with a full stop"
    : undefined;
}

/** Whatever they are: a developer can try names of an app until its hash looks like a word. */
const hashLength = 11;

/** Stands for a name. No text has it: it is a control character. */
const name = "\0";
/** `<#>` of the text itself, or of it and a name. `{{brand}}#>` and two names without a space between them may be addresses, and are refused as such. */
const oldBeginning = new RegExp(`^\\s*(?:<[#${name}]|${name}>)`);

/** The text with what a sender of messages can choose, and a dot for what it cannot. */
function outlineOf(parts: TextParts, minutes: string): string {
  const values: Readonly<Record<PlaceholderName, string>> = {
    brand: name,
    payee: name,
    minutes,
    code: ".",
    time: ".",
    amount: ".",
  };
  return fillIn(parts, (placeholder) => values[placeholder]);
}
