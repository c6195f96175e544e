import { type Placeholders, text, timestamptz } from "../../database/statement.ts";

/** What a statement takes for `rowsOfSecret`. */
export const usedSecret = { id: text, from: timestamptz, until: timestamptz };

/**
 * SQL of the rows whose recipient is sealed with a secret. By the index on `created_at`: rows of other times are not looked
 * at.
 */
export const rowsOfSecret = (p: Placeholders<typeof usedSecret>) => `
  FROM verification
  WHERE created_at >= ${p.from} AND created_at <= ${p.until} AND (
    (secret_id = ${p.id} AND recipient_sealed IS NOT NULL)
    OR substring(second_recipient_sealed FROM 1 FOR 4) = decode(${p.id}, 'hex')
  )`;
