import { hasWebAddress } from "./web-address.ts";

/** More than any name may have. What is longer is refused for that, and need not be looked at to its end. */
const examined = 500;

const unreadable = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u;

/**
 * Joiners where people need them (RFC 5892 appendix A): between letters of scripts that join (`دیجی‌کالا`), after a vowel sign that
 * joins, and in emoji made of several, flags of regions included.
 */
const joining = String.raw`\p{scx=Arab}\p{scx=Syrc}\p{scx=Deva}\p{scx=Beng}\p{scx=Guru}\p{scx=Gujr}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}\p{scx=Khmr}\p{scx=Mymr}\p{scx=Mong}`;
const joiners = new RegExp(
  [
    String.raw`(?<=[${joining}])[\u200c\u200d](?=[${joining}])`,
    // Flags of regions (UTS #51).
    String.raw`\u{1f3f4}[\u{e0061}-\u{e007a}]{2,6}\u{e007f}`,
    String.raw`(?<=\p{Extended_Pictographic}[\ufe0f\p{Emoji_Modifier}]?)\u200d(?=\p{Extended_Pictographic})`,
  ].join("|"),
  "gu",
);

/** What shows nothing: spaces, what is ignored, fillers, and the Braille cell without a dot. */
const invisible = /[\s\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** What is wrong with a text that people read in one line, in the house's words; undefined if nothing. */
export function lineProblem(text: string): string | undefined {
  return unreadable.test(text.slice(0, examined).replace(joiners, ""))
    ? "must not contain control characters"
    : undefined;
}

/** What is wrong with what something is called. Its length is checked elsewhere. */
export function nameProblem(name: string): string | undefined {
  const isBlank = name.slice(0, examined).replace(invisible, "") === "";
  return lineProblem(name) ?? (isBlank ? "must not be blank" : undefined);
}

/**
 * What is wrong with a name that messages carry to people who know neither us nor its owner: it must not send them anywhere.
 * Names of brands and of accounts are that.
 */
export function senderNameProblem(name: string): string | undefined {
  return nameProblem(name) ?? (hasWebAddress(name.slice(0, examined)) ? "must not contain a web address" : undefined);
}
