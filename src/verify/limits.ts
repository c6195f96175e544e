import type { ThrottleLimit } from "../database/throttle.ts";

/** Wrong codes that lock a verification. */
export const maxAttempts = 5;

/** Codes sent to one recipient. */
export const sendLimit: ThrottleLimit = { burst: 3, periodSeconds: 60 };

/** Wrong codes for one recipient, across verifications: a new code is not a new budget for guessing. */
export const guessLimit: ThrottleLimit = { burst: 10, periodSeconds: 8_640 };

/** SQL of the throttle's key of a recipient, given SQL of the mode and of the recipient's index. */
export const sendKey = (mode: string, index: string) => `('send:' || ${mode} || ':' || ${index})`;
export const guessKey = (mode: string, index: string) => `('guess:' || ${mode} || ':' || ${index})`;
