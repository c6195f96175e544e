import { execFile } from "node:child_process";
import { EventSource } from "eventsource";
import { expect, onTestFinished, test } from "vitest";
import { streaming } from "../../src/capabilities/events/events.policy.ts";
import { newEventOwner, Reading } from "../capabilities/events/event-reading.ts";
import { EventWriter } from "../capabilities/events/event-writers.ts";
import {
  eventStream,
  grpcStream,
  type Received,
  type StreamClient,
  streamClients,
} from "../capabilities/events/stream-clients.ts";
import { startTestApp, type TestApp, useTestApp } from "../support/app.ts";

const app = useTestApp();

/** Reads until the last event, and reconnects after a random number of events, to one server after the other. */
async function readToLast(
  client: StreamClient,
  reader: { readonly key: string; readonly servers: readonly TestApp[]; readonly last: string },
) {
  const seen: string[] = [];
  let [after, connections] = ["start", 0];
  while (!seen.includes(reader.last)) {
    const leave = new AbortController();
    const server = reader.servers[connections % reader.servers.length] ?? app;
    connections += 1;
    let left = 1 + Math.floor(Math.random() * 40);
    const take = ({ event, resumeAfter }: Received) => {
      after = resumeAfter ?? after;
      if (event !== undefined) {
        seen.push(event.id);
        left -= 1;
      }
      if (left === 0 || seen.includes(reader.last)) leave.abort();
    };
    try {
      for await (const received of client.read(server, { key: reader.key }, { after }, leave.signal)) {
        take(received);
        // What has arrived behind it is for the next connection.
        if (leave.signal.aborted) break;
      }
    } catch (error) {
      if (!leave.signal.aborted) throw error;
    }
  }
  return { seen, connections };
}

test("readers that reconnect at random get exactly the list, in order, none twice, whatever many writers do", async () => {
  await using other = await app.startAnother();
  const owner = await newEventOwner(app);
  const noise = await newEventOwner(app);
  const reader = { key: owner.key, servers: [app, other], last: "" };
  const reading = streamClients.map((client) => readToLast(client, reader));
  await Promise.all(
    Array.from({ length: 8 }, async (_, number) => {
      await using writer = await EventWriter.open(app.databaseUrl);
      for (let round = 0; round < 25; round += 1) {
        const of = number % 4 === 3 ? noise : owner;
        await writer.write(of, 1 + ((round * number) % 7), number % 2 === 0 ? 0 : Math.random() / 20);
      }
    }),
  );
  await using writer = await EventWriter.open(app.databaseUrl);
  await writer.number();
  const list = await writer.ids(owner);
  reader.last = list.at(-1) ?? "";
  // For readers that had seen the last one before they knew that it was.
  await writer.write(owner, 1);
  await writer.number();
  const all = await writer.ids(owner);
  for (const { seen, connections } of await Promise.all(reading)) {
    expect(all.slice(0, seen.length)).toEqual(seen);
    expect(seen.length).toBeGreaterThanOrEqual(list.length);
    expect(connections).toBeGreaterThan(5);
  }
  expect(list.length).toBeGreaterThan(400);
});

test("a reader that is slow reads the table until it has caught up, and misses nothing", async () => {
  const owner = await newEventOwner(app);
  await using writer = await EventWriter.open(app.databaseUrl);
  const reading = new Reading(eventStream.read(app, { key: owner.key }, { after: "start" }));
  await reading.until(1);
  for (let round = 0; round < 6; round += 1) {
    await writer.write(owner, 1_000);
    await writer.number();
  }
  const written = await writer.ids(owner);
  expect((await reading.until(written.length)).map(({ id }) => id)).toEqual(written);
  await reading.close();
  expect(written.length).toBeGreaterThan(5 * streaming.windowSize);
});

test("a session's stream ends when its token expires", async () => {
  await using served = await startTestApp();
  const { session, workspaceId, keyId } = await newEventOwner(served, "live");
  const reading = new Reading(grpcStream.read(served, { session }, { after: "start" }));
  await reading.until(1);
  const ended = reading.end();
  await served.time.advance({ seconds: 3_600 });
  await using writer = await EventWriter.open(served.databaseUrl);
  await writer.write({ workspaceId, mode: "live", keyId }, 1);
  await writer.number();
  expect(await ended).toBe("invalid_api_key");
  expect(reading.events).toHaveLength(1);
});

test("an event that was deleted after its retention is no place to resume from, and all that is kept is newer", async () => {
  const owner = await newEventOwner(app);
  await using writer = await EventWriter.open(app.databaseUrl);
  await writer.write(owner, 3);
  await writer.number();
  const [first = "", second = "", ...kept] = await writer.ids(owner);
  await writer.run("DELETE FROM event WHERE id = ANY($1)", [[first, second]]);
  expect(await new Reading(grpcStream.read(app, { key: owner.key }, { after: second })).end()).toBe("not_found");
  const reading = new Reading(grpcStream.read(app, { key: owner.key }, { after: "start" }));
  expect((await reading.until(kept.length)).map(({ id }) => id)).toEqual(kept);
  await reading.close();
});

test("a quiet stream whose last event is deleted resumes with the first that is kept", async () => {
  await using served = await startTestApp();
  const owner = await newEventOwner(served);
  await using writer = await EventWriter.open(served.databaseUrl);
  const reading = new Reading(grpcStream.read(served, { key: owner.key }, { types: ["verification.started"] }));
  await reading.next();
  expect(reading.heartbeats).toEqual(await writer.ids(owner));
  await writer.run("DELETE FROM event");
  await served.time.advance({ seconds: 31 * 86_400 });
  while (reading.heartbeats.length < 2) await reading.next();
  expect(reading.heartbeats.at(-1)).toBe("start");
  await reading.close();
});

test("a browser's reader goes on after the last event when the server was stopped", async () => {
  const owner = await newEventOwner(app);
  await using writer = await EventWriter.open(app.databaseUrl);
  await using first = await app.startAnother();
  let url = first.url;
  const source = new EventSource(`${url}/api/v1/events/stream?after=start`, {
    fetch: (target, init) =>
      fetch(String(target).replace(first.url, url), {
        ...init,
        headers: { ...Object.fromEntries(new Headers(init.headers)), "X-API-Key": owner.key },
      }),
  });
  onTestFinished(() => source.close());
  const seen: string[] = [];
  const seenAll = async (count: number) => {
    while (seen.length < count) {
      await new Promise((resolve) => source.addEventListener("message", resolve, { once: true }));
    }
  };
  source.addEventListener("message", ({ data, lastEventId }) => {
    expect(JSON.parse(data).id).toBe(lastEventId);
    seen.push(lastEventId);
  });
  await writer.write(owner, 5);
  await writer.number();
  await seenAll(6);
  url = app.url;
  await first.app.close();
  await writer.write(owner, 5);
  await writer.number();
  await seenAll(11);
  expect(seen).toEqual(await writer.ids(owner));
});

test("curl -N prints events as they come", async () => {
  const owner = await newEventOwner(app);
  const url = `${app.url}/api/v1/events/stream?after=start`;
  const curl = execFile("curl", ["-sN", "-H", `X-API-Key: ${owner.key}`, "-H", "Accept: text/event-stream", url]);
  onTestFinished(() => void curl.kill());
  let printed = "";
  for await (const chunk of curl.stdout ?? []) {
    printed += chunk;
    if (printed.includes("data: ")) break;
  }
  await using writer = await EventWriter.open(app.databaseUrl);
  const [id] = await writer.ids(owner);
  expect(printed).toMatch(
    new RegExp(`^:\\n\\nid: start\\n\\nid: ${id}\\ndata: \\{"id":"${id}","type":"api_key.created"`),
  );
});
