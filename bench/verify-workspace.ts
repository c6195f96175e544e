import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { mintKey, startByond } from "./byond.ts";
import { nameOf, type Postgres } from "./databases.ts";

/** A migrated database with the key of a sandbox workspace, whose messages do not leave the server. It is there to be copied. */
export interface VerifyWorkspace {
  readonly databaseUrl: string;
  readonly key: string;
}

export async function createVerifyWorkspace(postgres: Postgres): Promise<VerifyWorkspace> {
  const databaseUrl = await postgres.createDatabase();
  await using byond = await startByond(databaseUrl);
  return { databaseUrl, key: await mintKey(byond.url, databaseUrl, "test") };
}

/** The code of the sandbox, and one that is wrong there. */
export const sandboxCode = "000000";
export const wrongCode = "111111";

export async function callApi(url: string, key: string, path: string, body: unknown) {
  const answer = await fetch(`${url}/api/v1${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-API-Key": key },
    body: JSON.stringify(body),
  });
  if (!answer.ok) {
    throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
  }
  return JSON.parse(await answer.text());
}

export const startBody = (recipient: string) => ({ channel: "email", recipient });

/** A statement as the server sent it: its text, and the values as PostgreSQL writes them. */
export interface SentStatement {
  readonly text: string;
  /** Literals of SQL, by number. */
  readonly literals: ReadonlyMap<number, string>;
}

/** Two starts of different recipients, and the check of each with a wrong code. */
export interface SentStatements {
  readonly starts: readonly [SentStatement, SentStatement];
  readonly checks: readonly [SentStatement, SentStatement];
  readonly verificationIds: readonly [string, string];
}

/** Has a server run what the bench wants to run without one, and reads the statements out of PostgreSQL's log. */
export async function captureStatements(postgres: Postgres, workspace: VerifyWorkspace): Promise<SentStatements> {
  const { databaseUrl, key } = workspace;
  const set = (setting: string) =>
    postgres.asAdministrator((client) => client.query(`ALTER DATABASE ${nameOf(databaseUrl)} ${setting}`));
  await set("SET log_error_verbosity = 'default'");
  await set("SET log_min_duration_statement = 0");
  const ids: string[] = [];
  {
    await using byond = await startByond(databaseUrl);
    for (const recipient of ["first@example.com", "second@example.com"]) {
      const { verification_id: id } = await callApi(byond.url, key, "/verify/start", startBody(recipient));
      await callApi(byond.url, key, "/verify/check", { verification_id: id, code: wrongCode });
      ids.push(id);
    }
  }
  await set("RESET ALL");
  const log = readFileSync(postgres.logPath, "utf8");
  return {
    starts: pair(sentStatements(log, "start_verification")),
    checks: pair(sentStatements(log, "check_verification")),
    verificationIds: pair(ids),
  };
}

function pair<T>([first, second]: readonly T[]): readonly [T, T] {
  if (first === undefined || second === undefined) {
    throw new Error("PostgreSQL's log does not have what was sent");
  }
  return [first, second];
}

function sentStatements(log: string, name: string): SentStatement[] {
  const pattern = new RegExp(` execute ${name}\\w*: ([^]*?)\\n\\d{4}-[^\\n]* DETAIL: {2}Parameters: ([^\\n]*)`, "g");
  return Array.from(log.matchAll(pattern), ([, text = "", parameters = ""]) => ({
    text,
    literals: new Map(
      Array.from(parameters.matchAll(/\$(\d+) = (NULL|'(?:[^']|'')*')/g), ([, number, literal = ""]) => [
        Number(number),
        literal,
      ]),
    ),
  }));
}

/** The server goes on for a while when the load is over: it sends what was started. */
export async function outboxIsEmpty(postgres: Postgres, databaseUrl: string): Promise<void> {
  for (;;) {
    const { rows } = await postgres.asAdministrator(
      (client) => client.query("SELECT FROM outbox WHERE finished_at IS NULL LIMIT 1"),
      databaseUrl,
    );
    if (rows.length === 0) {
      return;
    }
    await setTimeout(50);
  }
}

export const seededId = (number: number) => `vrf_${String(number).padStart(22, "0")}`;

/**
 * Copies the verification that the database has until there are `count` of them, with recipients of their own, started one a second up to
 * now. `spread`: with other states and channels among them, as a workspace has.
 */
export async function seedVerifications(
  postgres: Postgres,
  databaseUrl: string,
  count: number,
  spread: boolean,
): Promise<void> {
  const own: Readonly<Record<string, string>> = {
    id: "'vrf_' || lpad(number::text, 22, '0')",
    // It is sealed for the id of another.
    recipient_sealed: "NULL",
    recipient_index: "'recipient-' || number",
    limit_indexes: "ARRAY['limit-' || number]",
    attempts: "0",
    created_at: `now() - (${count} - number) * interval '1 second'`,
    expires_at: "now() + interval '1 day'",
    ...(spread
      ? {
          status: "CASE WHEN number % 4 = 0 THEN 'approved' WHEN number % 50 = 1 THEN 'locked' ELSE 'pending' END",
          channel: "CASE WHEN number % 3 = 0 THEN 'whatsapp' ELSE 'email' END",
        }
      : {}),
  };
  await postgres.asAdministrator(async (client) => {
    const { rows } = await client.query(
      "SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'verification'",
    );
    const columns: string[] = rows.map(({ name }) => name);
    await client.query(
      `INSERT INTO verification (${columns.join(", ")})
        SELECT ${columns.map((name) => own[name] ?? `template.${name}`).join(", ")}
        FROM verification AS template, generate_series(1, ${count}) AS number
        WHERE template.id = (SELECT id FROM verification ORDER BY created_at LIMIT 1)`,
    );
    await client.query("VACUUM ANALYZE");
  }, databaseUrl);
}
