import type { LanguageTag } from "./language-tags.ts";

/**
 * The texts of a message with a code, in one language. Plain text: escape them in HTML. A brand, a payee or an amount is written as it is
 * given, never inflected.
 */
export interface MessageTexts {
  /** For the `lang` of the HTML. */
  readonly language: LanguageTag;
  /** The writing direction of the language. */
  readonly direction: "ltr" | "rtl";
  /** How long the code can still be used, as the texts below take it (`time`). */
  readonly timeLeft: TimeLeftForms;
  /** The digits 0 to 9 in words, for voices. */
  readonly digits: readonly [string, string, string, string, string, string, string, string, string, string];
  /** Stands between digits, so that a voice reads each for itself. */
  readonly pause: string;
  /** Follows the subject in lists of mails. Never the code: it is shown on locked screens, too. */
  readonly preheader: string;
  /** Marks a message of a sandbox key, which did not leave the server. */
  readonly sandbox: string;
  /** The mail's subject. Never the code: subjects are shown on locked screens and kept in logs. */
  subject(brand: string): string;
  /** Above the code. */
  heading(brand: string): string;
  readonly instruction: string;
  expiry(time: string): string;
  /** Says not to share the code, and what to do if the reader did not ask for it. */
  caution(brand: string): string;
  /** The whole message in a line or two, for text messages and chats. */
  short(words: CodeWords): string;
  /** The whole message for a call, with the code twice. */
  spoken(words: CodeWords): string;
  /** Replaces the texts above in the mail that resets the password of a Byond account. */
  readonly reset: {
    /** Never the code, as above. */
    subject(brand: string): string;
    readonly heading: string;
    /** Says what the code does, and on which server. */
    instruction(brand: string, url: string): string;
    /** Says that the code gives access to the account, and what to do if the reader did not ask for it. */
    readonly caution: string;
  };
  /** Replaces the texts above in a message whose code approves a payment (PSD2, "dynamic linking"). */
  readonly approval: {
    /** Never the code, as above, nor the payee and the amount. */
    subject(brand: string): string;
    readonly heading: string;
    /** Above the code: says what it approves. */
    instruction(payment: Payment): string;
    /** Says not to enter or share the code if the reader does not know the payment. */
    caution(brand: string): string;
    short(words: CodeWords & Payment): string;
    spoken(words: CodeWords & Payment): string;
  };
}

export interface CodeWords {
  readonly brand: string;
  /** Of a spoken message: in words (`spokenCode`). */
  readonly code: string;
  /** As `timeLeft` says it. */
  readonly time: string;
}

/** A payment as the reader is told of it. */
export interface Payment {
  readonly payee: string;
  /** With its currency, in the language's form. */
  readonly amount: string;
}

/** By plural category (`Intl.PluralRules`), `#` for the number of minutes. A category that is missing has the form `other`. */
export type TimeLeftForms = Readonly<Partial<Record<Exclude<Intl.LDMLPluralRule, "other">, string>>> & {
  readonly lessThanMinute: string;
  readonly other: string;
  readonly hour: string;
};
