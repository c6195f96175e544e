/** The line that says which server has started. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { createKeyring } from "../../src/crypto/keyring.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { MainProcess, makeFolder, root } from "./main-process.ts";

async function startedLine(server: MainProcess): Promise<Record<string, unknown>> {
  const [line] = await server.wrote(/^.*"event":"started".*$/m);
  const { time, level, event, ...fields } = JSON.parse(line);
  expect([typeof time, level, event]).toEqual(["string", "info", "started"]);
  return fields;
}

test("the line of a server on its embedded database", async () => {
  await using folder = await makeFolder();
  await using server = new MainProcess({
    environment: { PORT: "0", DATA_DIR: folder.path, SMTP_URL: "", MAIL_FROM: "" },
  });
  const url = await server.url();
  expect(await startedLine(server)).toEqual({
    version: packageJson.version,
    url,
    public: false,
    tls: false,
    database: expect.objectContaining({ kind: "embedded", data_dir: folder.path }),
    sign_up: "open",
    channels: { email: "inbox", whatsapp: "inbox", sms: "unavailable", voice: "unavailable" },
    whatsapp_webhook: false,
    bounces: "unread",
    lookups: "offline",
    proxies: [],
    secret_ids: [expect.stringMatching(/^[0-9a-f]{8}$/)],
  });
  const [line] = await server.wrote(/^.*"event":"empty_settings".*$/m);
  expect(JSON.parse(line)).toMatchObject({ level: "warn", settings: ["SMTP_URL", "MAIL_FROM"] });
  await server.stop();
});

test("the line of a production server has the ids of its secrets and the origins of its providers, and no secret", async () => {
  const database = await createMigratedDatabase();
  const canary = "hunter2-0123456789abcdef0123456789abcdef";
  const secrets = [`${canary}-new`, `${canary}-old`];
  await using server = new MainProcess({
    environment: {
      DATABASE_URL: database.url,
      BYOND_SECRET: secrets.join(),
      PORT: "0",
      PUBLIC_URL: "https://otp.example.com",
      TRUSTED_PROXIES: "10.0.0.0/8, 192.0.2.1",
      SMTP_URL: `smtps://mail:${canary}@mail.example`,
      MAIL_FROM: "no-reply@example.com",
      WHATSAPP_TOKEN: canary,
      WHATSAPP_PHONE_NUMBER_ID: "1",
      WHATSAPP_TEMPLATE: "code",
      WHATSAPP_APP_SECRET: canary,
      WHATSAPP_VERIFY_TOKEN: canary,
      SMS_URL: `https://sms.example/${canary}?token=${canary} twilio://AC${"0".repeat(32)}:${canary}@?from=ACME`,
      PROVIDER_SECRET: canary,
      METRICS_TOKEN: canary,
    },
  });
  const fields = await startedLine(server);
  const { hostname, port, pathname } = new URL(database.url);
  expect(fields).toMatchObject({
    url: "https://otp.example.com",
    public: true,
    tls: false,
    database: { kind: "external", server: `${hostname}:${port}`, database: pathname.slice(1) },
    sign_up: "closed",
    channels: {
      email: "smtps://mail.example:465",
      whatsapp: "https://graph.facebook.com",
      sms: "adapter (https://sms.example), twilio (api.twilio.com)",
      voice: "unavailable",
    },
    whatsapp_webhook: true,
    proxies: ["10.0.0.0/8", "192.0.2.1"],
    secret_ids: createKeyring(secrets).all.map(({ id }) => id),
  });
  await server.stop();
  expect(server.written).not.toContain("hunter2");
  expect(server.written).not.toContain(new URL(database.url).password);
  await database.drop();
});

test("a .env file in the working folder is read, the environment overrides it, and the log has none of its values", async () => {
  await using folder = await makeFolder();
  const path = join(folder.path, ".env");
  const file = `SIGN_UP=closed\nexport DRAIN_SECONDS='0' # none\nPORT=1\nMETRICS_TOKEN="hunter2"\n`;
  await writeFile(path, file, { mode: 0o640 });
  const command = [process.execPath, join(root, "src/main.ts")] as const;
  const environment = { PORT: "0", DATA_DIR: join(folder.path, "data") };
  await using server = new MainProcess({ command, cwd: folder.path, environment });
  const [line] = await server.wrote(/^.*"event":"env_file_read".*$/m);
  expect(JSON.parse(line)).toMatchObject({ level: "info", settings: ["DRAIN_SECONDS", "METRICS_TOKEN", "SIGN_UP"] });
  expect(await startedLine(server)).toMatchObject({ sign_up: "closed" });
  const url = await server.url();
  expect((await fetch(`${url}/metrics`)).status).toBe(404);
  expect((await fetch(`${url}/metrics`, { headers: { Authorization: "Bearer hunter2" } })).status).toBe(200);
  await server.stop();
  expect(server.written).not.toMatch(/hunter2|env_file_world_readable/);
});
