import { constantLimit } from "../database/throttle.ts";

/** Wrong codes that lock a verification. */
export const maxAttempts = 5;

/** Codes sent to one recipient by starting verifications: three at once, then one a minute. */
export const sendLimit = constantLimit({ burst: 3, periodSeconds: 60 });

/** Codes sent to one recipient again: two at once, then one a minute. */
export const resendLimit = constantLimit({ burst: 2, periodSeconds: 60 });

/** Wrong codes for one recipient, across verifications: a new code is not a new budget for guessing. */
export const guessLimit = constantLimit({ burst: 10, periodSeconds: 8_640 });

/** SQL of the throttle's keys of a recipient, given SQL of the mode and of the recipient's index. */
export const sendKey = (mode: string, index: string) => `('send:' || ${mode} || ':' || ${index})`;
export const resendKey = (mode: string, index: string) => `('resend:' || ${mode} || ':' || ${index})`;
export const guessKey = (mode: string, index: string) => `('guess:' || ${mode} || ':' || ${index})`;
