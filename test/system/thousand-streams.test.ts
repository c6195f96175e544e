import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { expect, onTestFinished, test, vi } from "vitest";
import { EventService, type StreamEventsResponse } from "../../gen/byond/v1/event_pb.ts";
import { Database } from "../../src/database/database.ts";
import { newEventOwner } from "../capabilities/events/event-reading.ts";
import { EventWriter } from "../capabilities/events/event-writers.ts";
import { startTestApp } from "../support/app.ts";

test("a thousand open streams cost no statement each, neither while nothing happens nor when something does", async () => {
  await using served = await startTestApp();
  const owners = await Promise.all(Array.from({ length: 10 }, () => newEventOwner(served)));
  const leave = new AbortController();
  onTestFinished(() => leave.abort());
  const streams: AsyncIterator<StreamEventsResponse>[] = [];
  for (const { key } of owners) {
    // A connection takes a hundred streams.
    const client = createClient(EventService, createGrpcTransport({ baseUrl: served.url }));
    const ofOwner = Array.from({ length: 100 }, () =>
      client.streamEvents({}, { headers: { "x-api-key": key }, signal: leave.signal })[Symbol.asyncIterator](),
    );
    const opened = await Promise.all(ofOwner.map((stream) => stream.next()));
    expect(opened.every(({ value }) => value?.resumeAfter.startsWith("evt_") && value.event === undefined)).toBe(true);
    streams.push(...ofOwner);
  }
  await using writer = await EventWriter.open(served.databaseUrl);
  const run = vi.spyOn(Database.prototype, "run");
  onTestFinished(() => run.mockRestore());
  // Each has a heartbeat, before which it is admitted again, and then an event.
  const heartbeats = await Promise.all(streams.map((stream) => stream.next()));
  expect(heartbeats.filter(({ value }) => value?.event === undefined)).toHaveLength(1_000);
  for (const owner of owners) {
    await writer.write(owner, 1);
  }
  await writer.number();
  let delivered = 0;
  const toEvent = async (stream: AsyncIterator<StreamEventsResponse>) => {
    while ((await stream.next()).value?.event === undefined);
    delivered += 1;
  };
  await Promise.all(streams.map(toEvent));
  expect(delivered).toBe(1_000);
  const names = run.mock.calls.map(([{ name }]) => name);
  expect(names.filter((name) => name === "read_events_after").length).toBeLessThanOrEqual(2);
  expect(
    names.filter((name) => name.includes("event") && name !== "read_events_after" && name !== "number_events"),
  ).toEqual([]);
  // Whatever else the server does by itself meanwhile: nothing for a stream.
  expect(names.length).toBeLessThan(200);
});
