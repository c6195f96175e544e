/** SQL of the values that `isOfRecipient` compares with. */
interface Asked {
  readonly workspaceId: string;
  readonly mode: string;
  /** A `text[]`: the recipient's index under each master secret. */
  readonly indexes: string;
}

/**
 * SQL that is true of a recipient's verifications. Each of the two columns has an index that begins with it, and PostgreSQL cannot choose
 * another: no index has the workspace or the mode with an empty text behind it (decision 37).
 */
export const isOfRecipient = (
  column: "recipient_index" | "second_recipient_index",
  { workspaceId, mode, indexes }: Asked,
) => `${column} = ANY (${indexes}) AND workspace_id || '' = ${workspaceId} AND mode || '' = ${mode}`;
