/** The words of a message with a code, in one language. Plain text: whoever puts them into HTML escapes them. */
export interface MessageTexts {
  /** BCP 47, for the `lang` of the HTML. */
  readonly language: string;
  /** Which way the language is written. */
  readonly direction: "ltr" | "rtl";
  /** The mail's subject. Never the code: subjects are shown on locked screens and kept in logs. */
  subject(brand: string): string;
  /** Above the code. */
  heading(brand: string): string;
  instruction(): string;
  /** How long the code can still be used. `minutes` is 0 for less than one. */
  expiry(minutes: number): string;
  /** What to do if one did not ask for it, and not to pass it on. */
  caution(brand: string): string;
  /** The mail's, in place of those above, where the code sets a new password of an account of a server of ours. */
  readonly reset: {
    /** As above, never the code. */
    subject(brand: string): string;
    heading(): string;
    /** What the code does, and where. */
    instruction(brand: string, url: string): string;
    /** That it gives the account away, and what to do if one did not ask for it. */
    caution(): string;
  };
  /** All of it in a line or two, as a text message or a chat shows it. */
  short(brand: string, code: string, minutes: number): string;
  /** All of it as a voice reads it out: digit by digit, and twice. */
  spoken(brand: string, code: string, minutes: number): string;
}

/** A code that was made for five minutes is not "4 minutes" because it took a moment to send. */
const toleranceMs = 5_000;

/** The whole minutes until `expiresAt`, as told to people; 0 is less than one. */
export function minutesLeft(expiresAt: Date, now: Date): number {
  return Math.max(0, Math.floor((expiresAt.getTime() - now.getTime() + toleranceMs) / 60_000));
}
