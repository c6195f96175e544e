/** The numbers of revocation, each once; `docs/decisions/0007-revocation-leases.md` argues for them. */

/** How long a server may answer from memory after its last contact with the database. A revocation waits that long at most. */
export const defaultLeaseMs = 2_000;

/** Renewals during one lease: three may fail before it ends. */
export const renewalsPerLease = 4;

/** Clocks of different machines do not run equally fast: a revoker waits this much longer than the longest lease. */
export const clockDriftAllowance = 1.1;

/** How long a revoker waits before it asks again which servers have acknowledged: doubles from the first to the longest. */
export const acknowledgementPolls = { firstMs: 2, longestMs: 25 } as const;

/** Subjects whose last revocation a server remembers. */
export const maxRememberedSubjects = 100_000;

/** Reads of revocations in one round: it ends, however fast revocations follow one another. */
export const maxReadsPerRound = 10;

/** Earlier registrations that a server removes itself. Those beyond, after a long outage, are left to a revoker. */
export const maxEarlierRegistrations = 20;

/** Pause before a lost connection is made again: doubles from the first to the longest. */
export const reconnecting = { firstMs: 20, longestMs: 1_000 } as const;

/**
 * How far a server's clock may be from PostgreSQL's before it logs that. By the server's clock go the five minutes of a signature
 * and the fifteen of an access token, which get shorter or longer by as much, and the minutes that messages name.
 */
export const clockToleranceMs = 5_000;

/** Beyond that, valid signatures and soon access tokens of other servers would be refused: no server starts. */
export const maxClockOffsetMs = 300_000;
