/** What a template may leave to the message. The schema's comments are the only other list. */
export const placeholderNames = ["code", "brand", "minutes", "time", "payee", "amount"] as const;
export type PlaceholderName = (typeof placeholderNames)[number];

/** A text in which the values of placeholders are missing: pieces that are written as they are, and names of values. */
export type TextParts = readonly (string | { readonly placeholder: PlaceholderName })[];

/** A text of a workspace's own for the messages of a channel, checked and ready to be filled in. */
export interface MessageTemplate {
  /** BCP 47. Undefined: it is for every language without a template. */
  readonly locale: string | undefined;
  /** Of mail only. Undefined: that of the server. */
  readonly subject?: TextParts;
  readonly text: TextParts;
  /** HTML for the body of a mail: its values must be escaped. Undefined: the text is laid out. */
  readonly html?: TextParts;
  readonly logo?: MailLogo;
  readonly colors: MailColors;
  /** Whether it is for verifications with a payee and an amount, or for those without. */
  readonly isForApproval: boolean;
}

/** The picture at the head of a mail, which the HTML refers to as `cid:logo`. */
export interface MailLogo {
  readonly mediaType: "image/png" | "image/jpeg";
  readonly bytes: Buffer;
}

/** As `#rrggbb`. */
export interface MailColors {
  readonly background: string;
  readonly text: string;
  /** Behind the code. */
  readonly accent: string;
}

export const defaultColors: MailColors = { background: "#ffffff", text: "#14171a", accent: "#f2f4f6" };

/** The names of the placeholders of a text, each as often as it occurs. */
export function placeholdersOf(parts: TextParts): readonly PlaceholderName[] {
  return parts.flatMap((part) => (typeof part === "string" ? [] : [part.placeholder]));
}

/** The text with these values. */
export function fillIn(parts: TextParts, write: (name: PlaceholderName) => string): string {
  return parts.map((part) => (typeof part === "string" ? part : write(part.placeholder))).join("");
}
