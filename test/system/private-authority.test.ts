/** A mail server whose certificate is of a private authority: `NODE_EXTRA_CA_CERTS`. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SmtpSink } from "../capabilities/channels/smtp-sink.ts";
import { createMigratedDatabase } from "../support/app.ts";
import { makeCertificate } from "../support/certificates.ts";
import type { TestDatabase } from "../support/postgres.ts";
import { ServerProcess } from "../support/processes.ts";
import { until } from "./load.ts";
import { MainProcess, makeFolder } from "./main-process.ts";

const resources = new AsyncDisposableStack();
let database: TestDatabase;
let sink: SmtpSink;
let authorityPath: string;
let mail: Record<string, string>;
beforeAll(async () => {
  database = await createMigratedDatabase();
  resources.defer(() => database.drop());
  const authority = makeCertificate({ commonName: "An authority of our own", isAuthority: true });
  const { cert, key } = makeCertificate({ commonName: "mail", names: ["127.0.0.1"], issuer: authority });
  sink = await SmtpSink.open({ secure: true, cert, key });
  resources.defer(() => sink.close());
  authorityPath = join(resources.use(await makeFolder()).path, "authority.pem");
  await writeFile(authorityPath, authority.cert);
  mail = { SMTP_URL: `smtps://127.0.0.1:${sink.port}`, MAIL_FROM: "Acme <no-reply@acme.example>" };
});
afterAll(() => resources.disposeAsync());

test.each(["1", "2"])("mail is delivered to it by a server with %s workers", async (WORKERS) => {
  const environment = { ...mail, NODE_EXTRA_CA_CERTS: authorityPath, WORKERS };
  await using server = await ServerProcess.start({ databaseUrl: database.url, environment });
  const recipient = `with-${WORKERS}@example.com`;
  const key = await server.mintKey();
  const { status } = await server.rest("POST", "/verify/start", { key, body: { channel: "email", recipient } });
  expect(status).toBe(201);
  await until("it arrives", 60_000, () => sink.mails.some(({ to }) => to.includes(recipient)));
});

/** What `byond doctor` prints, in a process of its own: Node reads the variable at its start. */
async function findings(environment: Record<string, string>) {
  const settings = { DATABASE_URL: database.url, BYOND_SECRET: "0123456789abcdef0123456789abcdef", ...mail };
  await using main = new MainProcess({ args: ["doctor", "--json"], environment: { ...settings, ...environment } });
  await main.exited;
  const { findings } = JSON.parse(main.output);
  return findings.filter(({ about }: { about: string }) => about === "email" || about === "NODE_EXTRA_CA_CERTS");
}

test("byond doctor says whether the mail server is trusted, and what is wrong with the file", async () => {
  const untrusted = {
    about: "email",
    verdict: "fault",
    found: expect.stringMatching(/certificate is not valid: UNABLE_TO_VERIFY_LEAF_SIGNATURE$/),
  };
  expect(await findings({})).toMatchObject([untrusted]);
  expect(await findings({ NODE_EXTRA_CA_CERTS: authorityPath })).toMatchObject([
    { about: "NODE_EXTRA_CA_CERTS", verdict: "ok", found: "certificates that are trusted as well: 1" },
    { about: "email", verdict: "ok", found: expect.stringContaining("with TLS") },
  ]);
  expect(await findings({ NODE_EXTRA_CA_CERTS: "/nowhere.pem" })).toMatchObject([
    { about: "NODE_EXTRA_CA_CERTS", verdict: "fault", found: expect.stringMatching(/^ENOENT/) },
    untrusted,
  ]);
});
