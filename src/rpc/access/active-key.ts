/**
 * SQL of a query that returns one row while the key with this prefix may still act, and none after it was revoked, has
 * expired, or its secret was replaced. A statement with side effects asks it again: the call may have been let in before.
 * Where the prefix is NULL the server acts by itself, and there is always a row.
 */
export function activeKey(prefix: string): string {
  return `
    SELECT WHERE ${prefix}::text IS NULL
    UNION ALL
    SELECT FROM api_key_secret JOIN api_key ON api_key.id = api_key_secret.key_id
    WHERE api_key_secret.prefix = ${prefix}
      AND api_key.revoked_at IS NULL
      AND (api_key_secret.valid_until IS NULL OR api_key_secret.valid_until > byond_now())
      AND (api_key.expires_at IS NULL OR api_key.expires_at > byond_now())`;
}
