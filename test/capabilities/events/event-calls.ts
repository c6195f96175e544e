import { expect, vi } from "vitest";
import type { TestApp } from "../../support/app.ts";
import type { Credentials, Protocol } from "../../support/protocols.ts";

// biome-ignore lint/suspicious/noExplicitAny: a test reads JSON of which it says itself what it expects
type Json = any;

/** Every event that a credential can read, oldest first: page by page. */
export async function allEvents(
  protocol: Protocol,
  app: TestApp,
  credentials: Credentials,
  filter: object = {},
): Promise<Json[]> {
  const events: Json[] = [];
  for (let pageToken: string | null | undefined; pageToken !== null; ) {
    const input = { ...filter, ...(pageToken === undefined ? {} : { page_token: pageToken }) };
    const { code, body } = await protocol.call(app, "ListEvents", input, credentials);
    expect(code).toBe("ok");
    events.push(...body.events);
    pageToken = body.next_page_token;
  }
  return events.reverse();
}

/** Waits for as many events, and returns all there are. */
export async function eventsOnce(
  count: number,
  protocol: Protocol,
  app: TestApp,
  credentials: Credentials,
  filter: object = {},
): Promise<Json[]> {
  return vi.waitFor(async () => {
    const events = await allEvents(protocol, app, credentials, filter);
    expect(events.length).toBeGreaterThanOrEqual(count);
    return events;
  }, 5_000);
}

export const typesOf = (events: readonly Json[]) => events.map(({ type }) => type);
