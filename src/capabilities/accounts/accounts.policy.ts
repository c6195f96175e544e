/**
 * The rules of accounts that have a number, each once. What the schema says of them is compared with these by
 * `test/capabilities/policy.test.ts`.
 */
import { constantLimit } from "../../database/throttle.ts";

/** In characters, as `auth.proto` has it; the least also of the normal form, in which marks that were typed apart are none. */
export const passwordLength = { min: 10, max: 128 } as const;

export const accessTokenSeconds = 900;

/** If the session does not end before (`SESSION_MAX_DAYS`). */
export const refreshTokenDays = 30;

/** How long a spent refresh token is not taken for a copied one. */
export const repeatedRefreshSeconds = 10;

/** How long an account has for proving its address, where mail is sent, and how long before its end it is told. */
export const hoursToVerify = 72;
export const hoursToldBefore = 24;

/** Accounts that may wait for the proof of one address: enough for slips, and few enough for signing in to compare with. */
export const maxUnverifiedAccounts = 3;

/** How long a source counts as known to an account after the last session that began there. */
export const knownSourceDays = 90;

/** How long a workspace has ended before it is erased: longer than any call of it lasts. */
export const minutesUntilErased = 10;

/** Wrong passwords. */
export const passwordLimits = {
  /** From one source, for whatever accounts: thirty at once, then one in ten seconds. */
  source: constantLimit({ burst: 30, periodSeconds: 10 }),
  /**
   * From one source for one address, or from everybody who is signed in to one account, together: ten at once, then one a
   * minute.
   */
  pair: constantLimit({ burst: 10, periodSeconds: 60 }),
  /**
   * For one address from all sources together that its accounts were not signed in to from: a hundred at once, then one in ten
   * seconds. NIST SP 800-63B §5.2.2 asks for a hundred at most; what is beyond it is for an owner at a new place.
   */
  strangers: constantLimit({ burst: 100, periodSeconds: 10 }),
} as const;

/** Sign-ups at once, where an hour allows that many: people who share an address behind one router come together. */
export const signUpsAtOnce = 10;

/** New accounts for one mailbox, however its address is spelt. */
export const newAccountLimits = {
  /** From one source: five at once, then five a day. One source cannot use up the mailbox's. */
  pair: { burst: 5, periodSeconds: 17_280 },
  /** Twelve at once, then twelve a day. */
  mailbox: { burst: 12, periodSeconds: 7_200 },
} as const;

/** Codes that are tried to prove the address of accounts of one mailbox. */
export const proofLimits = {
  /** From one source: twenty at once, then twenty a day. */
  source: { burst: 20, periodSeconds: 4_320 },
  /** A hundred at once, then a hundred a day. */
  mailbox: { burst: 100, periodSeconds: 864 },
} as const;

/** Resets of passwords. */
export const resetLimits = {
  /** From one source, for whatever accounts: ten at once, then one in a minute. */
  source: { burst: 10, periodSeconds: 60 },
  /** Of one mailbox from one source: two at once, then one in half an hour. One source cannot use up the mailbox's. */
  pair: { burst: 2, periodSeconds: 1_800 },
  /** Of one mailbox from all sources together that the account was not signed in to from: six, then one in five minutes. */
  strangers: { burst: 6, periodSeconds: 300 },
} as const;
