import { hasWebAddress } from "./web-address.ts";

/** Longer than any name may be. A longer text is refused for its length, so only its beginning is checked here. */
const examined = 500;

const unreadable = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u;

/**
 * Joiners that writing needs (RFC 5892 appendix A): between letters of scripts that join (`دیجی‌کالا`), after a joining vowel
 * sign, and in emoji made of several, flags of regions included.
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

/**
 * Characters that show nothing, and marks that enclose or strike through the character before them, or pile up over the lines around it. So do
 * marks of notes, of old Korean, and of scripts of the past, which no font for messages has.
 */
const hiding =
  /[\p{Default_Ignorable_Code_Point}\u2800]|\p{Me}|[\u0334-\u0338]|[\u20d0-\u20ff]|\p{Mn}{5}|(?=[\u{1d100}-\u{1d1ff}\p{sc=Brah}\p{sc=Kits}\p{sc=Hang}])\p{M}|[\u{133fc}\u{1d159}]/u;
/** The forms of emoji, of Chinese characters in names, and of Mongolian letters. */
const selectors =
  /(?<=\p{Extended_Pictographic}\p{Emoji_Modifier}?)[\ufe0e\ufe0f]|(?<=\p{sc=Han})[\u{e0100}-\u{e01ef}]|(?<=\p{sc=Mong})[\u180b-\u180d\u180f]/gu;

/** Characters that show nothing: spaces, ignorable characters, fillers, and the empty Braille cell. */
const invisible = /[\s\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** Whether a text has control characters, or others that cannot be seen or change the direction of writing. Line breaks are among them. */
export function hasUnreadable(text: string): boolean {
  return unreadable.test(text) && unreadable.test(text.replace(joiners, ""));
}

/** Whether a text has fillers, selectors that select nothing, or marks that cover other characters. */
export function hasHiding(text: string): boolean {
  return hiding.test(text) && hiding.test(text.replace(selectors, "").replace(joiners, ""));
}

/** What is wrong with a text of one line, worded as a field's problem. Undefined if nothing is. */
export function lineProblem(text: string): string | undefined {
  return hasUnreadable(text.slice(0, examined)) ? "must not contain control characters" : undefined;
}

/** What is wrong with a name. Its length is checked elsewhere. */
export function nameProblem(name: string): string | undefined {
  const isBlank = name.slice(0, examined).replace(invisible, "") === "";
  return lineProblem(name) ?? (isBlank ? "must not be blank" : undefined);
}

/**
 * What is wrong with a name that appears in messages to strangers, such as a brand's or an account's: it must not lead them
 * anywhere.
 */
export function senderNameProblem(name: string): string | undefined {
  return (
    nameProblem(name) ??
    (hasWebAddress(name.slice(0, examined)) ? "must not contain a web address" : undefined) ??
    (hasHiding(name.slice(0, examined)) ? "must not contain invisible characters, or marks over others" : undefined) ??
    // Android looks for the app that such a text message is for.
    (/^\s*<#>/.test(name.normalize("NFKC")) ? "must not begin with <#>" : undefined)
  );
}
