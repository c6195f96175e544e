/** What accounts need of the verifications: a code to a mail address, and whether a code is the right one. */
export interface EmailVerifications {
  start(email: string): Promise<StartedEmailVerification>;
  check(verificationId: string, code: string): Promise<EmailVerificationOutcome>;
}

export interface StartedEmailVerification {
  readonly id: string;
  readonly status: "pending" | "channel_unavailable";
  readonly expiresAt: Date;
}

export type EmailVerificationOutcome = "approved" | "incorrect" | "expired" | "locked";
