import type { Queryable } from "../../database/database.ts";

/** What accounts need of the verifications: codes to mail addresses, and whether a code is the right one. */
export interface EmailVerifications {
  /** Sends a code that proves the address of an account. Guesses are counted by account and address. */
  start(
    transaction: Queryable,
    account: { readonly userId: string; readonly email: string },
  ): Promise<StartedEmailVerification>;
  check(
    transaction: Queryable,
    userId: string,
    verification: { readonly id: string; readonly code: string },
  ): Promise<EmailVerificationOutcome>;
  /** Sends a code that resets a password, if there is an account when it leaves. Guesses are counted by reset. */
  startReset(email: string): Promise<StartedReset>;
  /** Where the code of a reset was sent, and when it was asked for. Throws `not_found` if there is no such reset. */
  findReset(resetId: string): Promise<{ readonly email: string; readonly startedAt: Date }>;
  checkReset(
    transaction: Queryable,
    reset: { readonly id: string; readonly code: string },
  ): Promise<EmailVerificationOutcome>;
}

export interface StartedReset {
  readonly id: string;
  readonly status: "pending" | "channel_unavailable";
  readonly expiresAt: Date;
}

export interface StartedEmailVerification extends StartedReset {
  /** To be called after the commit: what is sent before may be of a verification that does not exist. */
  send(): void;
}

export type EmailVerificationOutcome = "approved" | "incorrect" | "expired" | "locked";
