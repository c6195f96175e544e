import { afterAll, beforeAll, expect, test } from "vitest";
import { channelNames } from "../../../src/capabilities/channels/outgoing-message.ts";
import { type ListInput, listVerifications } from "../../../src/capabilities/verify/list-verifications.ts";
import { indexesOfAny } from "../../../src/capabilities/verify/recipient.ts";
import { statuses } from "../../../src/capabilities/verify/verification-view.ts";
import { createKeyring } from "../../../src/crypto/keyring.ts";
import { Database } from "../../../src/database/database.ts";
import { createMigratedDatabase } from "../../support/app.ts";
import { connectionTo } from "../../support/database-address.ts";
import { captureLog } from "../../support/log-capture.ts";
import { standardSchema } from "../../support/schema.ts";
import { querySql } from "../../support/sql.ts";

const keyring = createKeyring(["0123456789abcdef0123456789abcdef"]);
const recipient = "+6591234567";
const second = (count: number) => new Date(Date.UTC(2030, 0, 1) + count * 1_000);

let database: Database;
let drop: () => Promise<void>;
beforeAll(async () => {
  const created = await createMigratedDatabase();
  drop = created.drop;
  database = await Database.open({
    connection: await connectionTo(created.url),
    logger: captureLog().logger,
    ...standardSchema,
  });
});
afterAll(async () => {
  await database.close();
  await drop();
});

const sql = <Row extends object>(text: string, values: readonly unknown[] = []) =>
  querySql<Row>(database, { name: "", text }, values);

const all: ListInput = {
  workspaceId: "ws_1",
  mode: "live",
  status: undefined,
  channel: undefined,
  recipient: undefined,
  createdAfter: undefined,
  createdBefore: undefined,
  pageSize: 7,
  pageToken: undefined,
};

/** The ids on all pages. */
async function idsOf(input: ListInput): Promise<string[]> {
  const { verifications, nextPageToken } = await listVerifications({ database, keyring }, input);
  const ids = verifications.map(({ id }) => id);
  return nextPageToken === undefined ? ids : [...ids, ...(await idsOf({ ...input, pageToken: nextPageToken }))];
}

test("each combination of filters lists exactly the rows that have it, newest first, on pages of any size", async () => {
  // Many have the moment of their creation in common, some have expired without having been marked, some have the secret of another server.
  await sql(
    `INSERT INTO verification (
       workspace_id, id, mode, channel, status, recipient_index, second_recipient_index, brand, metadata, code_length,
       secret_id, max_attempts, created_at, expires_at
     )
     SELECT CASE WHEN i % 11 = 0 THEN 'ws_2' ELSE 'ws_1' END, 'vrf_' || lpad((i * 7919 % 10007)::text, 22, '0'),
       CASE WHEN i % 7 = 0 THEN 'test' ELSE 'live' END, ($1::text[])[1 + i % 4],
       ($2::text[])[1 + (i / 4) % 6], CASE WHEN i % 3 = 0 THEN $3 ELSE 'other' END, CASE WHEN i % 3 = 1 AND i % 5 = 0 THEN $3 END, 'Acme', '{}', 6,
       CASE WHEN i % 9 = 0 THEN 'other' ELSE $4 END, 5, $5::timestamptz + i * 37 % 40 * interval '1 second',
       byond_now() + CASE WHEN i % 2 = 0 THEN interval '1 hour' ELSE interval '-1 hour' END
     FROM generate_series(1, 400) AS i`,
    [channelNames, statuses, indexesOfAny(keyring, recipient)[0], keyring.current.id, second(0)],
  );
  const combinations = [undefined, ...statuses].flatMap((status) =>
    [undefined, ...channelNames].flatMap((channel) =>
      [undefined, recipient].flatMap((asked) =>
        [undefined, second(10)].map((createdAfter) => ({
          status,
          channel,
          recipient: asked,
          createdAfter,
          createdBefore: createdAfter && second(30),
        })),
      ),
    ),
  );
  for (const filters of combinations) {
    const expected = await sql<{ id: string }>(
      `SELECT id FROM (
         SELECT *, CASE WHEN status = 'pending' AND (expires_at <= byond_now() OR secret_id <> $1) THEN 'expired' ELSE status END AS shown
         FROM verification
       ) AS verification
       WHERE workspace_id = 'ws_1' AND mode = 'live' AND ($2::text IS NULL OR shown = $2) AND ($3::text IS NULL OR channel = $3)
         AND ($4::text IS NULL OR $4 IN (recipient_index, second_recipient_index))
         AND ($5::timestamptz IS NULL OR created_at >= $5) AND ($6::timestamptz IS NULL OR created_at < $6)
       ORDER BY created_at DESC, id DESC`,
      [
        keyring.current.id,
        filters.status,
        filters.channel,
        filters.recipient && indexesOfAny(keyring, filters.recipient)[0],
        filters.createdAfter,
        filters.createdBefore,
      ],
    );
    const ids = expected.map(({ id }) => id);
    for (const pageSize of [3, 100]) {
      expect({ filters, ids: await idsOf({ ...all, ...filters, pageSize }) }).toEqual({ filters, ids });
    }
  }
});

test("a full page is not the last one because a verification expired while it was read", async () => {
  // A clock that goes on by a minute each time that somebody looks.
  await sql("CREATE SEQUENCE looks");
  await sql(`
    CREATE OR REPLACE FUNCTION byond_now() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS $$ SELECT timestamptz '2040-01-01' + nextval('looks') * interval '1 minute' $$`);
  await sql(
    `INSERT INTO verification (
       workspace_id, id, mode, channel, status, recipient_index, brand, metadata, code_length, secret_id, max_attempts,
       created_at, expires_at
     )
     SELECT 'ws_3', 'vrf_' || lpad(i::text, 22, '0'), 'live', 'sms', 'pending', 'i', 'Acme', '{}', 6, $1, 5, timestamptz '2040-01-01',
       timestamptz '2050-01-01'
     FROM generate_series(1, 5) AS i`,
    [keyring.current.id],
  );
  // The newest one expires at each look in turn: nobody knows which of them is between the two conditions.
  for (let look = 0; look < 12; look += 1) {
    await sql("ALTER SEQUENCE looks RESTART");
    await sql(
      `UPDATE verification SET expires_at = timestamptz '2040-01-01' + ($1::integer + 0.5) * interval '1 minute'
       WHERE id = 'vrf_' || lpad('5', 22, '0')`,
      [look],
    );
    const input: ListInput = { ...all, workspaceId: "ws_3", status: "pending", pageSize: 2 };
    const page = await listVerifications({ database, keyring }, input);
    expect(page.verifications).toHaveLength(2);
    expect({ look, hasMore: page.nextPageToken !== undefined }).toEqual({ look, hasMore: true });
  }
});
