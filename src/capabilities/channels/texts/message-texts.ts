/** The texts of a message with a code, in one language. Plain text: escape them in HTML. */
export interface MessageTexts {
  /** BCP 47, for the `lang` of the HTML. */
  readonly language: string;
  /** The writing direction of the language. */
  readonly direction: "ltr" | "rtl";
  /** The mail's subject. Never the code: subjects are shown on locked screens and kept in logs. */
  subject(brand: string): string;
  /** Above the code. */
  heading(brand: string): string;
  instruction(): string;
  /** How long the code can still be used. `minutes` is 0 for less than one. */
  expiry(minutes: number): string;
  /** Says not to share the code, and what to do if the reader did not ask for it. */
  caution(brand: string): string;
  /** Replaces the texts above in the mail that resets the password of a Byond account. */
  readonly reset: {
    /** Never the code, as above. */
    subject(brand: string): string;
    heading(): string;
    /** Says what the code does, and on which server. */
    instruction(brand: string, url: string): string;
    /** Says that the code gives access to the account, and what to do if the reader did not ask for it. */
    caution(): string;
  };
  /** The whole message in a line or two, for text messages and chats. */
  short(brand: string, code: string, minutes: number): string;
  /** The whole message for a call: each digit separately, the code twice. */
  spoken(brand: string, code: string, minutes: number): string;
}

const en: MessageTexts = {
  language: "en",
  direction: "ltr",
  subject: (brand) => `Your ${brand} verification code`,
  heading: (brand) => `Your ${brand} code`,
  instruction: () => "Enter this code to confirm that it is you:",
  expiry: (minutes) => `It expires in ${inMinutes(minutes)}.`,
  caution: (brand) =>
    `Do not share this code with anyone. If you did not ask ${brand} for it, you can ignore this message.`,
  reset: {
    subject: (brand) => `Set a new password for your ${brand} account`,
    heading: () => "Set a new password",
    instruction: (brand, url) =>
      `This code sets a new password for the ${brand} account with this mail address at ${url}:`,
    caution: () =>
      "Whoever has this code can take over the account. Never read it to anybody, and enter it only where you asked for it yourself. If you did not ask for it, ignore this mail: your password stays as it is.",
  },
  short: (brand, code, minutes) =>
    `${code} is your ${brand} verification code. It expires in ${inMinutes(minutes)}. Do not share it.`,
  spoken: (brand, code, minutes) => {
    const digits = [...code].join(", ");
    return `Your ${brand} verification code is: ${digits}. Once more: ${digits}. It expires in ${inMinutes(minutes)}.`;
  },
};

function inMinutes(minutes: number): string {
  if (minutes === 0) {
    return "less than a minute";
  }
  if (minutes === 60) {
    return "1 hour";
  }
  return minutes === 1 ? "1 minute" : `${minutes} minutes`;
}

/** All languages, by lower-case tag. */
const languages: Readonly<Record<string, MessageTexts>> = { en };

/** The texts for a locale such as `pt-BR`; without texts for it those of `pt`; without these English. */
export function textsFor(locale: string | undefined): MessageTexts {
  const subtags = (locale ?? "").toLowerCase().split(/[-_]/);
  for (let length = subtags.length; length > 0; length -= 1) {
    const tag = subtags.slice(0, length).join("-");
    const texts = Object.hasOwn(languages, tag) ? languages[tag] : undefined;
    if (texts !== undefined) {
      return texts;
    }
  }
  return en;
}

/** Tolerates the delay of sending: a code valid for five minutes is not announced as 4 minutes. */
const toleranceMs = 5_000;

/** The whole minutes until `expiresAt`, as announced in messages; 0 is less than one. */
export function minutesLeft(expiresAt: Date, now: Date): number {
  return Math.max(0, Math.floor((expiresAt.getTime() - now.getTime() + toleranceMs) / 60_000));
}
