import type { Queryable } from "../database/database.ts";

/** What accounts need of the verifications: a code to a mail address, and whether a code is the right one. */
export interface EmailVerifications {
  start(transaction: Queryable, email: string): Promise<StartedEmailVerification>;
  check(transaction: Queryable, verificationId: string, code: string): Promise<EmailVerificationOutcome>;
}

export interface StartedEmailVerification {
  readonly id: string;
  readonly status: "pending" | "channel_unavailable";
  readonly expiresAt: Date;
  /** To be called after the commit: what is sent before may be of a verification that does not exist. */
  send(): void;
}

export type EmailVerificationOutcome = "approved" | "incorrect" | "expired" | "locked";
