/** What is revoked when one session ends. */
export const sessionSubject = (sessionId: string) => `session:${sessionId}`;

/** What is revoked when all sessions of an account end. */
export const accountSubject = (accountId: string) => `account:${accountId}`;

/** What is revoked when a workspace is shut down: its keys depend on it too. */
export const workspaceSubject = (workspaceId: string) => `workspace:${workspaceId}`;
