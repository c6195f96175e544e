/** What `byond doctor` says of setups that are broken, each in one way. */
import { createPrivateKey, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Finding } from "../../src/finding.ts";
import { HttpFake } from "../capabilities/channels/http-fake.ts";
import { SmtpSink } from "../capabilities/channels/smtp-sink.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { makeCertificate } from "../support/certificates.ts";
import { diagnose, isOfTestPostgres } from "../support/doctor.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { makeFolder } from "../system/main-process.ts";

const secret = "0123456789abcdef0123456789abcdef";
const role = `role_${randomBytes(6).toString("hex")}`;

let migrated: TestDatabase;
let administrator: pg.Client;
beforeAll(async () => {
  migrated = await createMigratedDatabase();
  administrator = new pg.Client({ connectionString: migrated.url });
  await administrator.connect();
  await administrator.query(`CREATE ROLE ${role} LOGIN PASSWORD 'hunter2'`);
});
afterAll(async () => {
  await administrator.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  await administrator.end();
  await migrated.drop();
});

/** Of a server that is well, but for these variables. */
function findingsOf(
  environment: Record<string, string>,
  common: Record<string, string> = { DATABASE_URL: migrated.url, BYOND_SECRET: secret },
): Promise<Finding[]> {
  return diagnose({ ...common, ...environment });
}

/** What is not well. */
async function complaints(...[environment, common]: Parameters<typeof findingsOf>): Promise<Finding[]> {
  const findings = await findingsOf(environment, common);
  return findings.filter((finding) => finding.verdict !== "ok" && !isOfTestPostgres(finding));
}

/** The database, as the role without rights, with changes. */
function urlOf(change: (url: URL) => void = () => undefined, url = migrated.url): string {
  const changed = new URL(url);
  changed.username = role;
  changed.password = "hunter2";
  change(changed);
  return changed.href;
}

test("a setup that is well has no complaint", async () => {
  expect(await complaints({})).toEqual([]);
});

describe("the database", () => {
  test("is not there, or refuses", async () => {
    const closed = urlOf((url) => {
      url.port = "9";
    });
    const unknown = urlOf((url) => {
      url.pathname = "/nowhere";
    });
    const found = [await complaints({ DATABASE_URL: closed }), await complaints({ DATABASE_URL: unknown })];
    expect(found).toEqual([
      [
        {
          about: "database",
          verdict: "fault",
          found: "connect ECONNREFUSED 127.0.0.1:9",
          advice: "Correct DATABASE_URL, or what it leads to",
        },
      ],
      [
        {
          about: "database",
          verdict: "fault",
          found: 'database "nowhere" does not exist. Create it with CREATE DATABASE',
          advice: "Correct DATABASE_URL, or what it leads to",
        },
      ],
    ]);
  });

  test("gives the role no rights", async () => {
    expect(await complaints({ DATABASE_URL: urlOf() })).toEqual([
      {
        about: "migrations",
        verdict: "fault",
        found: `the role ${role} may not read schema_migration`,
        advice: `Run what byond grants --role ${role} prints`,
      },
    ]);
  });

  test("is empty, and the role may create nothing; nothing is created by the command", async () => {
    const empty = await createTestDatabase();
    try {
      expect(await complaints({ DATABASE_URL: empty.url })).toEqual([]);
      expect(await complaints({ DATABASE_URL: urlOf(undefined, empty.url) })).toEqual([
        {
          about: "migrations",
          verdict: "fault",
          found: `the role ${role} may not create tables in the schema public, which migrations do`,
          advice: `Run GRANT CREATE ON SCHEMA public TO ${role}, or set DATABASE_MIGRATION_URL to the URL of a role that may`,
        },
      ]);
      const client = new pg.Client({ connectionString: empty.url });
      await client.connect();
      const { rows } = await client.query("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace");
      await client.end();
      expect(rows).toEqual([]);
    } finally {
      await empty.drop();
    }
  });

  test("loses what was committed, as that of the tests does", async () => {
    expect(await findingsOf({})).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ about: "database", verdict: "warning", found: "synchronous_commit is off" }),
        expect.objectContaining({ about: "database", verdict: "warning", found: "fsync is off" }),
      ]),
    );
  });

  test("has lost a table and a column", async () => {
    const damaged = await createMigratedDatabase();
    try {
      const client = new pg.Client({ connectionString: damaged.url });
      await client.connect();
      await client.query("DROP TABLE webhook_endpoint CASCADE; ALTER TABLE verification DROP COLUMN brand");
      await client.end();
      expect(await complaints({ DATABASE_URL: damaged.url })).toEqual([
        {
          about: "tables",
          verdict: "fault",
          found: "the schema lacks verification.brand, webhook_endpoint, which migrations have made",
          advice: "Something else has dropped it: restore a whole backup",
        },
      ]);
    } finally {
      await damaged.drop();
    }
  });

  test("was migrated by another version", async () => {
    await administrator.query("DELETE FROM schema_migration WHERE name = 'webhooks-0001'");
    expect(await complaints({})).toMatchObject([
      { about: "migrations", verdict: "warning", found: "1 of this version have not run: webhooks-0001" },
      { about: "secrets", verdict: "warning" },
    ]);
    await administrator.query("INSERT INTO schema_migration (name) VALUES ('webhooks-0001'), ('verify-9999')");
    expect(await complaints({})).toMatchObject([
      { about: "migrations", verdict: "warning", found: "a newer version has run verify-9999" },
    ]);
    await administrator.query("DELETE FROM schema_migration WHERE name = 'verify-9999'");
    const first = await administrator.query("SELECT name FROM schema_migration WHERE name = 'database-0001'");
    await administrator.query("UPDATE schema_migration SET name = 'Migration1' WHERE name = 'database-0001'");
    expect(await complaints({})).toMatchObject([{ about: "migrations", verdict: "fault" }]);
    await administrator.query("UPDATE schema_migration SET name = $1 WHERE name = 'Migration1'", [first.rows[0].name]);
  });
});

describe("this machine does not fit", () => {
  test("the servers that run: another secret", async () => {
    await administrator.query(`
      INSERT INTO server (id, lease_ms, applied_seq, database_started_at, renewed_at, secret_ids)
      VALUES ('srv_other', 2000000, 0, pg_postmaster_start_time(), now(), '{aaaaaaaa}')`);
    expect(await complaints({})).toEqual([
      {
        about: "secrets",
        verdict: "fault",
        found: expect.stringMatching(
          /^BYOND_SECRET does not fit the server srv_other, .* seals with the secret aaaaaaaa/,
        ),
        advice: expect.stringMatching(/^Rotate a secret in steps/),
      },
    ]);
    await administrator.query("DELETE FROM server");
  });

  test("the rows: a secret is missing; what nobody needs is not forgotten by the command", async () => {
    await administrator.query(`
      INSERT INTO master_secret (id, first_used_at, last_used_at) VALUES ('aaaaaaaa', now(), now()), ('bbbbbbbb', now(), now())`);
    expect(await complaints({})).toEqual([]);
    const { rowCount } = await administrator.query("DELETE FROM master_secret");
    expect(rowCount).toBe(2);
  });

  test.each([
    [10, "warning", "PostgreSQL's clock is 10 seconds ahead of this machine's"],
    [-400, "fault", "PostgreSQL's clock is 400 seconds behind this machine's: the server does not start"],
  ])("the clock of PostgreSQL, by %i seconds", async (seconds, verdict, found) => {
    const { rows } = await administrator.query("SELECT pg_get_functiondef('byond_now'::regproc) AS definition");
    await administrator.query(`
      CREATE OR REPLACE FUNCTION byond_now() RETURNS timestamptz LANGUAGE sql VOLATILE
      AS $$ SELECT clock_timestamp() + interval '${seconds} seconds' $$`);
    expect(await complaints({})).toEqual([{ about: "clocks", verdict, found, advice: "Run NTP on both machines" }]);
    await administrator.query(rows[0].definition);
  });
});

test("settings that a start warns of, and files that are not there", async () => {
  const found = await complaints({
    TRUSTED_PROXIES: "0.0.0.0/0",
    TLS_CERT: "/nowhere/cert.pem",
    TLS_KEY: "/nowhere/key.pem",
  });
  expect(found).toEqual([
    {
      about: "configuration",
      verdict: "warning",
      found: "trusted_proxies_unrestricted: TRUSTED_PROXIES",
      advice: 'See trusted_proxies_unrestricted in docs/guides/operations.md, "Log events"',
    },
    {
      about: "TLS certificate",
      verdict: "fault",
      found: expect.stringMatching(/^TLS_CERT: ENOENT: .*cert\.pem/),
      advice: "Correct the files that TLS_CERT and TLS_KEY name",
    },
  ]);
});

test("certificates: good, near their end, expired, not valid yet, and of another key", async () => {
  await using folder = await makeFolder();
  const dayMs = 86_400_000;
  const [certPath, keyPath] = [join(folder.path, "cert.pem"), join(folder.path, "key.pem")];
  const of = async ({ cert, key }: { readonly cert: Buffer; readonly key: Buffer }) => {
    await writeFile(certPath, cert);
    await writeFile(keyPath, key);
    const found = await findingsOf({ TLS_CERT: certPath, TLS_KEY: keyPath });
    return found.filter(({ about }) => about === "TLS certificate").map(({ verdict, found }) => [verdict, found]);
  };
  const until = (expiresAtMs: number, startsAtMs?: number) =>
    makeCertificate({ commonName: "a", names: ["a.example"], expiresAtMs, ...(startsAtMs && { startsAtMs }) });
  const now = Date.now();
  expect(await of(until(now + 90 * dayMs))).toEqual([
    ["ok", expect.stringMatching(/^of DNS:a\.example, valid until /)],
  ]);
  expect(await of(until(now + 5.5 * dayMs))).toEqual([["warning", expect.stringMatching(/: 5 days are left$/)]]);
  expect(await of(until(now - dayMs))).toEqual([["fault", expect.stringMatching(/: it has expired$/)]]);
  expect(await of(until(now + 90 * dayMs, now + dayMs))).toEqual([["fault", expect.stringMatching(/: not before 20/)]]);
  expect(await of({ ...until(now + dayMs), key: until(now + dayMs).key })).toEqual([
    ["fault", expect.stringContaining("is not the key of the certificate in TLS_CERT")],
  ]);
});

test("a certificate that is none, or has a key with a passphrase: without the words of OpenSSL", async () => {
  await using folder = await makeFolder();
  const [certPath, keyPath] = [join(folder.path, "cert.pem"), join(folder.path, "key.pem")];
  const { cert, key } = makeCertificate({ commonName: "a", names: ["a.example"], expiresAtMs: Date.now() + 9e9 });
  const encrypted = createPrivateKey(key).export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase: "opensesame",
  });
  for (const [certificate, privateKey] of [
    [cert, encrypted],
    ["garbage", key],
    [cert, "garbage"],
  ] as const) {
    await writeFile(certPath, certificate);
    await writeFile(keyPath, privateKey);
    const [finding] = await complaints({ TLS_CERT: certPath, TLS_KEY: keyPath });
    expect(finding).toMatchObject({ verdict: "fault", advice: "Correct the files that TLS_CERT and TLS_KEY name" });
    expect(finding?.found).toMatch(/^TLS_(CERT|KEY): \S+ holds no (certificate|key) in PEM/);
    expect(finding?.found).not.toMatch(/error:|routines|DECODER|asn1|PEM_read/i);
  }
});

test("a certificate of other names than PUBLIC_URL", async () => {
  await using folder = await makeFolder();
  const [certPath, keyPath] = [join(folder.path, "cert.pem"), join(folder.path, "key.pem")];
  const { cert, key } = makeCertificate({ commonName: "a", names: ["a.example"], expiresAtMs: Date.now() + 9e9 });
  await writeFile(certPath, cert);
  await writeFile(keyPath, key);
  const of = (publicUrl: string) => complaints({ TLS_CERT: certPath, TLS_KEY: keyPath, PUBLIC_URL: publicUrl });
  expect(await of("https://a.example:8443/x")).toEqual([]);
  for (const host of ["b.example", "192.0.2.1", "[2001:db8::1]"]) {
    expect(await of(`https://${host}`)).toEqual([
      {
        about: "TLS certificate",
        verdict: "warning",
        found: `it is not of ${host.replace(/[[\]]/g, "")}, the host of PUBLIC_URL`,
        advice: "Use one that is, unless a proxy in front of the server has it",
      },
    ]);
  }
});

test("secrets in files are named, and warned of if everybody may read them", async () => {
  await using folder = await makeFolder();
  const path = join(folder.path, "secret");
  await writeFile(path, secret, { mode: 0o600 });
  await chmod(path, 0o644);
  const found = await findingsOf({ BYOND_SECRET_FILE: path }, { DATABASE_URL: migrated.url });
  expect(found.filter(({ about }) => about === "configuration")).toMatchObject([
    { verdict: "ok", found: "every setting can be read; from files of their own: BYOND_SECRET" },
    {
      verdict: "warning",
      found: "secret_files_world_readable: BYOND_SECRET_FILE",
      advice: 'Run chmod 600 "$BYOND_SECRET_FILE", or see "Secrets in files" in docs/guides/operations.md',
    },
  ]);
});

describe("providers", () => {
  test("a mail server that is not there, refuses the credentials, or is well; no mail is sent", async () => {
    const sink = await SmtpSink.open({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: ({ password }, _session, callback) =>
        password === "opensesame" ? callback(null, { user: "user" }) : callback(new Error("no")),
    });
    const mail = (url: string) => complaints({ SMTP_URL: url, MAIL_FROM: "a@b.example" });
    const advice = "Correct SMTP_URL, or ask whoever runs the mail server";
    try {
      expect(await mail(`smtp://user:opensesame@127.0.0.1:${sink.port}?ignoreTLS=true`)).toEqual([]);
      expect(await mail(`smtp://user:hunter2@127.0.0.1:${sink.port}?ignoreTLS=true`)).toEqual([
        {
          about: "email",
          verdict: "fault",
          found: `127.0.0.1:${sink.port}: the mail server refused the credentials (535)`,
          advice,
        },
      ]);
      expect(await mail(`smtps://user:opensesame@127.0.0.1:${sink.port}`)).toMatchObject([
        { verdict: "fault", found: expect.stringContaining("no TLS with the mail server") },
      ]);
      expect(await mail("smtp://127.0.0.1:9")).toMatchObject([
        { verdict: "fault", found: "127.0.0.1:9: the mail server cannot be reached" },
      ]);
      expect(sink.mails).toEqual([]);
    } finally {
      await sink.close();
    }
  });

  const sid = `AC${"0".repeat(32)}`;
  const variables = (url: string): Record<string, Record<string, string>> => {
    const apiUrl = encodeURIComponent(url);
    return {
      whatsapp: {
        WHATSAPP_TOKEN: "hunter2",
        WHATSAPP_PHONE_NUMBER_ID: "1",
        WHATSAPP_TEMPLATE: "code",
        WHATSAPP_API_URL: url,
      },
      "sms: twilio": { SMS_URL: `twilio://${sid}:hunter2@?from=+15550100&api_url=${apiUrl}` },
      "voice: plivo": {
        VOICE_URL: `plivo://MA1:hunter2@?from=+15550100&api_url=${apiUrl}`,
        PUBLIC_URL: "https://b.example",
        TRUSTED_PROXIES: "10.0.0.1",
      },
      "sms: sns": { SMS_URL: `sns://AKIA:hunter2@?region=eu-west-1&api_url=${apiUrl}` },
    };
  };

  test.each(Object.keys(variables("http://x.example")))(
    "%s: is asked for the account, and nothing is sent",
    async (about) => {
      const fake = await HttpFake.open();
      const environment = { PUBLIC_URL: "http://b.example", ...variables(fake.url)[about] };
      try {
        fake.answer = { status: 200, body: "{}" };
        expect(await complaints(environment)).toEqual([]);
        fake.answer = { status: 401, body: "{}" };
        expect(await complaints(environment)).toMatchObject([
          { about, verdict: "fault", found: "the provider refused the credentials (401)" },
        ]);
        fake.answer = { status: 500 };
        expect(await complaints(environment)).toMatchObject([{ about, verdict: "warning" }]);
        fake.answer = "hang up";
        expect(await complaints(environment)).toMatchObject([
          { about, verdict: "fault", found: "the provider cannot be reached" },
        ]);
        expect(
          fake.requests.map(({ body }) => body).filter((body) => !/^(Action=GetSMSAttributes.*)?$/.test(body)),
        ).toEqual([]);
      } finally {
        await fake.close();
      }
    },
  );

  test("WhatsApp's token that is not for the number, and an account that Twilio has suspended", async () => {
    const fake = await HttpFake.open();
    try {
      fake.answer = { status: 400, body: JSON.stringify({ error: { code: 190 } }) };
      expect(await complaints({ ...variables(fake.url).whatsapp })).toMatchObject([
        { about: "whatsapp", verdict: "fault", advice: expect.stringContaining("WHATSAPP_TOKEN") },
      ]);
      fake.answer = { status: 200, body: JSON.stringify({ status: "suspended" }) };
      expect(await complaints({ PUBLIC_URL: "http://b.example", ...variables(fake.url)["sms: twilio"] })).toMatchObject(
        [{ about: "sms: twilio", verdict: "fault", found: "the account is suspended" }],
      );
    } finally {
      await fake.close();
    }
  });

  test("an adapter, an SMSC and a mailbox that are not there", async () => {
    const found = await complaints({
      SMS_URL: "http://127.0.0.1:9/messages,smpp://byond:hunter2@127.0.0.1:9",
      PROVIDER_SECRET: secret,
      PUBLIC_URL: "http://b.example",
      BOUNCES_URL: "imaps://user:hunter2@127.0.0.1:9/INBOX",
    });
    expect(found.map(({ about, verdict, found }) => [about, verdict, found])).toEqual([
      ["sms: adapter", "fault", "127.0.0.1:9 cannot be reached: connect ECONNREFUSED 127.0.0.1:9"],
      ["sms: smpp", "fault", "127.0.0.1:9 cannot be reached: connect ECONNREFUSED 127.0.0.1:9"],
      ["bounces", "fault", expect.stringMatching(/^127\.0\.0\.1:9: the mailbox cannot be read/)],
    ]);
  });
});

test("an adapter for lookups and a collector of traces that are not there, or are", async () => {
  const fake = await HttpFake.open();
  const of = (url: string) =>
    findingsOf({ LOOKUP_URL: url, LOOKUP_SECRET: secret, OTEL_EXPORTER_OTLP_ENDPOINT: url }).then((findings) =>
      findings.filter(({ about }) => about === "lookup" || about === "traces").map(({ advice, ...finding }) => finding),
    );
  try {
    const place = new URL(fake.url).host;
    expect(await of(fake.url)).toEqual([
      { about: "traces", verdict: "ok", found: expect.stringContaining(`${place} can be reached`) },
      { about: "lookup", verdict: "ok", found: expect.stringContaining(`${place} can be reached`) },
    ]);
    expect(fake.requests).toEqual([]);
  } finally {
    await fake.close();
  }
  const found = "127.0.0.1:9 cannot be reached: connect ECONNREFUSED 127.0.0.1:9";
  expect(await of("http://127.0.0.1:9")).toEqual([
    { about: "traces", verdict: "warning", found },
    { about: "lookup", verdict: "fault", found },
  ]);
});

test("an embedded database is not created", async () => {
  await using folder = await makeFolder();
  const dataDir = join(folder.path, "data");
  expect(await complaints({ DATA_DIR: dataDir }, {})).toEqual([]);
  expect(existsSync(dataDir)).toBe(false);
});
