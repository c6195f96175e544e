import pg from "pg";

/** Records of a verification's messages that the recipient cannot receive them, as an attempt or a report of the provider would. */
export async function markUndeliverable(
  databaseUrl: string,
  verificationId: string,
  error = "the mail server answered 550 5.1.1 to RCPT TO",
): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query("UPDATE delivery_attempt SET undeliverable = true, error = $2 WHERE subject_id = $1", [
      verificationId,
      error,
    ]);
  } finally {
    await client.end();
  }
}
