/** The rules of the guard that have a number. */

/** Entries of the safe list of a mode. A server keeps them in memory with the settings. */
export const maxSafeListEntries = 200;

/** Digits of a range on the safe list, and how many fewer than the longest numbers of its country it has. */
export const safeRangeDigits = { min: 1, max: 10, fewer: 5 } as const;

/** Blocks that are listed. */
export const maxListedBlocks = 1_000;

/** Workspaces whose settings a server keeps in memory. Those that have changed nothing need no place. */
export const maxKnownWorkspaces = 5_000;

/** How long an ended block is kept: the next one of the range is longer. */
export const blockRetentionDays = 7;

/** How long refusals are kept in numbers: longer than the longest period of a report. */
export const reportRetentionDays = 400;

/** How long a hook may take to answer, from the wait for a place to the last byte. */
export const hookTimeoutMs = 200;

/**
 * Answers of hooks that a server waits for at the same time: those that each workspace has for itself, all of a workspace, and what the workspaces
 * have together beyond their own.
 */
export const hookPlaces = { own: 5, ofWorkspace: 25, shared: 250 } as const;
