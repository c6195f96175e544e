import pg from "pg";

/** Marks a workspace's account as verified, like one that an operator created. Call it before its keys are used. */
export async function verifyEmailOf(databaseUrl: string, workspaceId: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(
      "UPDATE account SET email_verified_at = byond_now(), ends_at = NULL, end_announced_at = NULL WHERE workspace_id = $1",
      [workspaceId],
    );
  } finally {
    await client.end();
  }
}
