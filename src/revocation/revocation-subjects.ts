/**
 * The names of what can be revoked. A call is admitted on the subjects of its credential (a key's and its workspace's, for
 * instance); revoking one of them ends every call that depends on it.
 */

/** Revoked when anything about a key changes. */
export const keySubject = (keyId: string) => `key:${keyId}`;

/** What is cached under the prefix of a secret depends on it. Never revoked: nobody can have presented a new prefix before. */
export const prefixSubject = (prefix: string) => `prefix:${prefix}`;

/** Revoked when one session ends. */
export const sessionSubject = (sessionId: string) => `session:${sessionId}`;

/** Revoked when all sessions of an account end. */
export const accountSubject = (accountId: string) => `account:${accountId}`;

/** Revoked when a workspace is shut down, or something changes that concerns all of its keys. */
export const workspaceSubject = (workspaceId: string) => `workspace:${workspaceId}`;

/** Revoked when one of the texts of a workspace's own changes in a mode. */
export const templatesSubject = ({ workspaceId, mode }: { readonly workspaceId: string; readonly mode: string }) =>
  `templates:${workspaceId}/${mode}`;
