import type pg from "pg";
import type { KillableServers } from "./killable-servers.ts";

/** An event as REST shows it, as far as these tests look at it. */
export interface ListedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: { readonly verification_id?: string };
}

/** All events that a key can read, oldest first: each page from any server. */
export async function listEvents(servers: KillableServers, key: string): Promise<ListedEvent[]> {
  const events: ListedEvent[] = [];
  for (let page: string | null = ""; page !== null; ) {
    const { body } = await servers.any().rest("GET", `/events?page_size=100${page}`, { key });
    events.push(...body.events);
    page = body.next_page_token === null ? null : `&page_token=${body.next_page_token}`;
  }
  return events.reverse();
}

/** The types of the events of each verification, in alphabetical order. */
export function typesByVerification(events: readonly ListedEvent[]): Map<string, string[]> {
  const types = new Map<string, string[]>();
  for (const { type, data } of events) {
    if (data.verification_id !== undefined) {
      types.set(data.verification_id, [...(types.get(data.verification_id) ?? []), type].sort());
    }
  }
  return types;
}

/** The types that each verification of a database must have once, by what became of it and of its messages. */
export async function expectedTypes(client: pg.Client): Promise<Map<string, string[]>> {
  const { rows } = await client.query<{ id: string; status: string; messages: string[] }>(
    `SELECT id, status, (SELECT array_agg(outbox.status) FROM outbox WHERE subject_id = verification.id) AS messages
     FROM verification`,
  );
  return new Map(
    rows.map(({ id, status, messages }) => {
      const ofMessages = messages.map((message) => (message === "sent" ? "delivered" : "delivery_failed"));
      const types = ["started", ...ofMessages, ...(status === "pending" ? [] : [status])];
      return [id, types.map((type) => `verification.${type}`).sort()];
    }),
  );
}
