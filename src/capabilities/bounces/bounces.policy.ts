/** The numbers in the rules of reading bounces. */

/** How often a server looks for new mail, and the server that reads a mailbox keeps others from it for this long. */
export const pollMs = 10_000;
export const claimMs = 60_000;

/** After failures: doubled each time, and the longest at once if the mailbox refuses the credentials, which may lock an account. */
export const retryMs = { first: 10_000, longest: 300_000 } as const;

/** In bytes. A report about a mail of ours is some 10 KB, with the mail itself in it. Larger mail is not read. */
export const maxReportBytes = 131_072;

/** Lines that may begin a part of a report. Parsing takes a time that grows with the square of the parts: 0.8 s for 10,000. */
export const maxPartLines = 100;

/** In days. Mail servers give up after five at most (RFC 5321 §4.5.4.1). Older mail is not read. */
export const reportDays = 7;

/** Mails that are looked at before it is noted how far the mailbox was read. */
export const batchSize = 50;

/** How long the mailbox's server may take: to be connected to, and to answer. */
export const timeoutMs = { connect: 10_000, answer: 60_000 } as const;
