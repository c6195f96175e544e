/** How long a server charges to a reserve. One of a server that crashed is closed after twice that. */
export const reserveLifeMs = 30_000;

/** What a reserve is to last for, given the charges of the one before. */
export const reserveDemandMs = 2_000;

/** Charges that a reserve is for at least. */
export const minCharges = 8;

/** A new reserve is taken when the rest of the current one is below this part. */
export const lowShare = 0.25;

/** How often a server closes reserves whose time is over. */
export const closingIntervalMs = 5_000;

/** Others that wait may use up what was taken for all: each time, some of them go on. */
export const maxTries = 100;

export const pageSize = { default: 20, max: 100 };
