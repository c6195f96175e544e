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

/** Every language there is, by its lower-case tag. A new one is an entry here. */
const languages: Readonly<Record<string, MessageTexts>> = { en };

/** The texts for a locale such as `pt-BR`: its own, else those of the language alone, else English. */
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

/** A code that was made for five minutes is not "4 minutes" because it took a moment to send. */
const toleranceMs = 5_000;

/** The whole minutes until `expiresAt`, as told to people; 0 is less than one. */
export function minutesLeft(expiresAt: Date, now: Date): number {
  return Math.max(0, Math.floor((expiresAt.getTime() - now.getTime() + toleranceMs) / 60_000));
}
