import { sql } from "kysely";
import { type Keyring, seal, unseal } from "../../crypto/keyring.ts";
import { maxCounted, type SealedRows } from "../../crypto/master-secret-use.ts";
import type { Queryable, QueryableTables } from "../../database/database.ts";
import { array, bytea, integer, nullable, statement, text } from "../../database/statement.ts";
import { databaseTime } from "../../database/table-query.ts";
import { createWebhookSecret } from "../../outgoing/webhook-signature.ts";
import type { WebhookTables } from "./webhook-tables.ts";
import { maxSecrets } from "./webhooks.policy.ts";

const purpose = "webhook-secret";
const contextOf = (endpointId: string, number: number) => `${endpointId}/${number}`;

/** Gives an endpoint its first secret, which is returned. */
export async function insertFirstSecret(
  transaction: QueryableTables,
  keyring: Keyring,
  endpointId: string,
): Promise<string> {
  return insertSecret(transaction, keyring, endpointId, 1);
}

async function insertSecret(
  transaction: QueryableTables,
  keyring: Keyring,
  endpointId: string,
  number: number,
): Promise<string> {
  const secret = createWebhookSecret();
  const sealed = seal(keyring, purpose, contextOf(endpointId, number), secret);
  await transaction.query((tables: WebhookTables) =>
    tables.insertInto("webhook_secret").values({ endpointId, number, secretId: keyring.current.id, sealed }),
  );
  return secret;
}

/** Whole seconds, rounded up: the answer says exactly what is enforced. */
const endOfGrace = (graceSeconds: number) =>
  sql<Date>`date_trunc('seconds', byond_now() + ${graceSeconds} * interval '1 second' + interval '999999 microseconds')`;

/**
 * Gives an endpoint, which is locked, a new secret. Earlier ones sign until the grace is over, and none longer than it was to; those
 * beyond `maxSecrets` end. Returns the secret, and when the last of the earlier ones ends: null if none of them signs any more.
 */
export async function replaceSecret(
  transaction: QueryableTables,
  keyring: Keyring,
  endpointId: string,
  graceSeconds: number,
): Promise<{ readonly secret: string; readonly previousEndsAt: Date | null }> {
  const [newest] = await transaction.query((tables: WebhookTables) =>
    tables
      .selectFrom("webhook_secret")
      .select("number")
      .where("endpointId", "=", endpointId)
      .orderBy("number", "desc")
      .limit(1),
  );
  const number = (newest?.number ?? 0) + 1;
  const oldestKept = number - maxSecrets + 1;
  await transaction.query((tables: WebhookTables) =>
    tables
      .deleteFrom("webhook_secret")
      .where("endpointId", "=", endpointId)
      .where((eb) =>
        eb.or([
          eb("validUntil", "<=", databaseTime),
          eb("number", "<", oldestKept),
          ...(graceSeconds === 0 ? [eb("number", "<", number)] : []),
        ]),
      ),
  );
  const earlier = await transaction.query((tables: WebhookTables) =>
    tables
      .updateTable("webhook_secret")
      .set({ validUntil: sql<Date>`least(valid_until, ${endOfGrace(graceSeconds)})` })
      .where("endpointId", "=", endpointId)
      .returning("validUntil"),
  );
  const ends = earlier.map(({ validUntil }) => Number(validUntil));
  return {
    secret: await insertSecret(transaction, keyring, endpointId, number),
    previousEndsAt: ends.length === 0 ? null : new Date(Math.max(...ends)),
  };
}

/** A secret as it is stored. */
export interface StoredSecret {
  readonly number: number;
  readonly sealed: Buffer;
}

const readSecrets = statement<StoredSecret>("read_webhook_secrets")(
  { endpointId: text },
  (p) => `
    SELECT number, sealed FROM webhook_secret
    WHERE endpoint_id = ${p.endpointId} AND (valid_until IS NULL OR valid_until > (SELECT byond_now()))
    ORDER BY number DESC`,
);

/** The secrets that sign deliveries to an endpoint now, the current one first. Those of unknown master secrets are left out. */
export async function secretsOf(database: Queryable, keyring: Keyring, endpointId: string): Promise<readonly string[]> {
  const stored = await database.run(readSecrets, { endpointId });
  return stored
    .map(({ number, sealed }) => unseal(keyring, purpose, contextOf(endpointId, number), sealed))
    .filter((secret) => secret !== undefined);
}

interface SealedSecret extends StoredSecret {
  readonly endpointId: string;
}

const batchSize = 500;

const count = statement<{ count: number }>("count_webhook_secrets")(
  { secretId: text },
  (p) => `
    SELECT count(*)::integer AS count FROM (
      SELECT FROM webhook_secret WHERE secret_id = ${p.secretId} LIMIT ${maxCounted}
    ) AS sealed`,
);

const readBatch = statement<SealedSecret>("read_webhook_secrets_to_reseal")(
  { secretId: text },
  (p) => `
    SELECT endpoint_id, number, sealed FROM webhook_secret WHERE secret_id = ${p.secretId}
    ORDER BY endpoint_id, number LIMIT ${batchSize} FOR UPDATE`,
);

const writeBatch = statement("write_resealed_webhook_secrets")(
  { secretId: text, endpointIds: array(text), numbers: array(integer), sealed: array(nullable(bytea)) },
  (p) => `
    WITH resealed AS (
      SELECT * FROM unnest(${p.endpointIds}, ${p.numbers}, ${p.sealed}) AS row (endpoint_id, number, sealed)
    ), dropped AS (
      DELETE FROM webhook_secret USING resealed
      WHERE webhook_secret.endpoint_id = resealed.endpoint_id AND webhook_secret.number = resealed.number
        AND resealed.sealed IS NULL
    )
    UPDATE webhook_secret SET secret_id = ${p.secretId}, sealed = resealed.sealed
    FROM resealed
    WHERE webhook_secret.endpoint_id = resealed.endpoint_id AND webhook_secret.number = resealed.number
      AND resealed.sealed IS NOT NULL`,
);

const erase = statement<{ endpointId: string }>("erase_webhook_secrets")(
  { secretId: text },
  (p) => `DELETE FROM webhook_secret WHERE secret_id = ${p.secretId} RETURNING endpoint_id`,
);

/** The secrets of endpoints, which sign deliveries until they are rotated. */
export const sealedWebhookSecrets: SealedRows = {
  async describe(database, { id }) {
    const [found] = await database.run(count, { secretId: id });
    const secrets = found?.count ?? 0;
    return secrets === 0
      ? undefined
      : `${secrets < maxCounted ? secrets : `${maxCounted} or more`} secrets of webhooks cannot sign deliveries without it`;
  },

  async reseal(database, keyring, { id }, onProgress) {
    for (;;) {
      const rows = await database.transaction(async (transaction) => {
        const found = await transaction.run(readBatch, { secretId: id });
        await transaction.run(writeBatch, {
          secretId: keyring.current.id,
          endpointIds: found.map(({ endpointId }) => endpointId),
          numbers: found.map(({ number }) => number),
          sealed: found.map(({ endpointId, number, sealed }) => {
            const context = contextOf(endpointId, number);
            const secret = unseal(keyring, purpose, context, sealed);
            return secret === undefined ? null : seal(keyring, purpose, context, secret);
          }),
        });
        return found.length;
      });
      onProgress(rows);
      if (rows < batchSize) {
        return undefined;
      }
    }
  },

  async erase(database, { id }) {
    return (await database.transaction((transaction) => transaction.run(erase, { secretId: id }))).length;
  },
};
