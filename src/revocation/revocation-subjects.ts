/** What is revoked when something about a key changes. */
export const keySubject = (keyId: string) => `key:${keyId}`;

/** What everything known of a secret's prefix depends on. Never revoked: a new prefix is one that nobody asked for. */
export const prefixSubject = (prefix: string) => `prefix:${prefix}`;

/** What is revoked when one session ends. */
export const sessionSubject = (sessionId: string) => `session:${sessionId}`;

/** What is revoked when all sessions of an account end. */
export const accountSubject = (accountId: string) => `account:${accountId}`;

/** What is revoked when a workspace is shut down, or something changes that holds for all of its keys. */
export const workspaceSubject = (workspaceId: string) => `workspace:${workspaceId}`;
