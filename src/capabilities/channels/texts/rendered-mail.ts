import type { MailLogo } from "../own-texts/message-template.ts";

/** A mail, ready to send. */
export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** A part of the mail, which the HTML refers to as `cid:logo`. */
  readonly logo?: MailLogo;
}
