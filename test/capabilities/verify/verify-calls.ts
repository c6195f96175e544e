import pg from "pg";
import type { InboxMessage } from "../../../src/capabilities/channels/inbox/inbox.ts";
import type { RestAnswer, TestApp } from "../../support/app.ts";

/** A verification as its caller knows it, with the code that its recipient read. */
export interface Started {
  readonly id: string;
  readonly code: string;
}

/** Starts a verification over REST. */
export function start(app: TestApp, key: string, recipient: string, fields: object = {}): Promise<RestAnswer> {
  return app.rest("POST", "/verify/start", { key, body: { channel: "email", recipient, ...fields } });
}

/** Starts a verification, the first one to this recipient on this server, and reads its code from the inbox. */
export async function startAndRead(app: TestApp, key: string, recipient: string, fields: object = {}) {
  const [started] = await startAndReadEach(app, key, recipient, 1, fields);
  if (started === undefined) {
    throw new Error("nothing was started");
  }
  return started;
}

/** Starts several verifications, one after the other, to a recipient who had no message on this server before. */
export async function startAndReadEach(
  app: TestApp,
  key: string,
  recipient: string,
  count: number,
  fields: object = {},
): Promise<Started[]> {
  const started: Started[] = [];
  for (let index = 0; index < count; index++) {
    const { status, body } = await start(app, key, recipient, fields);
    if (status !== 201) {
      throw new Error(`start answered ${status}: ${JSON.stringify(body)}`);
    }
    const [newest] = await messagesTo(app, recipient, index + 1);
    started.push({ id: body.verification_id, code: codeIn(newest) });
  }
  return started;
}

/** The messages to a recipient, newest first, once there are so many. */
export async function messagesTo(app: TestApp, recipient: string, count: number): Promise<readonly InboxMessage[]> {
  for (let look = 0; look < 1_000; look++) {
    const messages = (await inbox(app)).filter((message) => message.recipient === recipient);
    if (messages.length >= count) {
      return messages;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`${count} messages to ${recipient} did not arrive`);
}

/** All of the local inbox, newest first. */
export function inbox(app: TestApp): Promise<readonly InboxMessage[]> {
  return app.inbox();
}

/** The code that a message carries. */
export function codeIn(message: InboxMessage | undefined): string {
  const code = /(?<!\d)\d{4,10}(?!\d)/.exec(message?.text ?? "")?.[0];
  if (code === undefined) {
    throw new Error(`no code in ${message?.text}`);
  }
  return code;
}

/** Submits a code and tells what became of it. */
export async function check(app: TestApp, key: string, id: string, code: string): Promise<string> {
  const { status, body } = await app.rest("POST", "/verify/check", { key, body: { verification_id: id, code } });
  if (status !== 200) {
    throw new Error(`check answered ${status}: ${JSON.stringify(body)}`);
  }
  return body.status;
}

/** A code of the same length that is not the right one. */
export function wrongFor({ code }: Started): string {
  return `${(Number(code[0]) + 1) % 10}${code.slice(1)}`;
}

/** How often each value occurs. */
export function tally(values: readonly (string | number)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) {
    counts[value] = (counts[value] ?? 0) + 1;
  }
  return counts;
}

/** Rows straight from the server's database. */
export async function rowsOf(
  app: Pick<TestApp, "databaseUrl">,
  text: string,
  values: readonly unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: app.databaseUrl });
  await client.connect();
  try {
    return (await client.query(text, [...values])).rows;
  } finally {
    await client.end();
  }
}
