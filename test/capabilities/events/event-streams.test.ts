import { describe, expect, test } from "vitest";
import { startTestApp, type TestApp, useTestApp } from "../../support/app.ts";
import { start } from "../verify/verify-calls.ts";
import { allEvents, typesOf } from "./event-calls.ts";
import { newEventOwner, Reading, restProtocol } from "./event-reading.ts";
import { type Received, streamClients } from "./stream-clients.ts";

const app = useTestApp();
const newOwner = (mode: "live" | "test" = "test", of: TestApp = app) => newEventOwner(of, mode);

const idsOf = (events: readonly Received["event"][]) => events.map(({ id }) => id);

describe.each(streamClients)("over $name", (client) => {
  test("a stream brings what happens, as the list has it, and resumes after any event", async () => {
    const { key, address } = await newOwner();
    const stop = new AbortController();
    const reading = new Reading(client.read(app, { key }, { after: "start" }, stop.signal));
    await reading.until(1);
    await start(app, key, address("one"));
    await reading.until(3);
    const listed = await allEvents(restProtocol, app, { key });
    expect(typesOf(reading.events)).toEqual(["api_key.created", "verification.started", "verification.delivered"]);
    expect(reading.events).toEqual(listed);
    expect(reading.resumeAfter).toBe(listed.at(-1)?.id);
    await reading.close();
    for (const [index, { id }] of listed.entries()) {
      const resumed = new Reading(client.read(app, { key }, { after: id }, stop.signal));
      expect(await resumed.until(listed.length - index - 1)).toEqual(listed.slice(index + 1));
      stop.signal.throwIfAborted();
    }
    stop.abort();
  });

  test("a stream has the events of its filters and its mode only", async () => {
    const live = await newOwner("live");
    const { body } = await app.rest("POST", "/api-keys", { session: live.session, body: { name: "x", mode: "test" } });
    const stop = new AbortController();
    const filter = { after: "start", types: ["verification.started", "api_key.created"] };
    const ofTypes = new Reading(client.read(app, { key: live.key }, filter, stop.signal));
    const sandbox = new Reading(
      client.read(app, { session: live.session, headers: { "Byond-Mode": "test" } }, { after: "start" }, stop.signal),
    );
    const { body: started } = await start(app, live.key, live.address("filtered"));
    await start(app, live.key, live.address("other"));
    const subject = new Reading(
      client.read(app, { key: live.key }, { after: "start", subject: started.verification_id }, stop.signal),
    );
    expect(typesOf(await ofTypes.until(3))).toEqual([
      "api_key.created",
      "verification.started",
      "verification.started",
    ]);
    expect((await sandbox.until(1)).map(({ data }) => data.id)).toEqual([body.id]);
    expect(typesOf(await subject.until(2))).toEqual(["verification.started", "verification.delivered"]);
    stop.abort();
  });

  test.each([
    ["an id that does not exist", "evt_0000000000000000000000", "not_found"],
    ["what is no id", "pk_live_secret", "not_found"],
    ["what is longer than an id", "x".repeat(65), "validation_error"],
  ])("%s is refused before the stream begins", async (_, after, code) => {
    const { key } = await newOwner();
    expect(await new Reading(client.read(app, { key }, { after })).end()).toBe(code);
  });

  test("an event of another workspace or mode is refused, and so is a key without the scope", async () => {
    const [mine, other] = [await newOwner(), await newOwner()];
    const [id] = idsOf(await allEvents(restProtocol, app, { key: other.key }));
    expect(await new Reading(client.read(app, { key: mine.key }, { after: id })).end()).toBe("not_found");
    const { body } = await app.rest("POST", "/api-keys", {
      session: mine.session,
      body: { name: "x", scopes: ["verify"] },
    });
    expect(await new Reading(client.read(app, { key: body.key })).end()).toBe("insufficient_scope");
    expect(await new Reading(client.read(app, {})).end()).toBe("invalid_api_key");
  });

  test("a stream ends at once when its key is revoked", async () => {
    const { key, keyId, session } = await newOwner();
    const reading = new Reading(client.read(app, { key }, { after: "start" }));
    await reading.until(1);
    const ended = reading.end();
    await app.rest("DELETE", `/api-keys/${keyId}`, { session });
    expect(await ended).toBe("invalid_api_key");
  });

  test("a stream ends when the server stops, and says so", async () => {
    await using stopping = await startTestApp();
    const { key } = await newOwner("test", stopping);
    const reading = new Reading(client.read(stopping, { key }, { after: "start" }));
    await reading.until(1);
    const ended = reading.end();
    void stopping.app.close();
    expect(await ended).toBe("unavailable");
  });
});
