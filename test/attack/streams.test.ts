/** Streams that a client opens and leaves in every way there is take no place from those that come later, and none beyond the workspace's. */
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "vitest";
import { StreamLookupRequestSchema } from "../../gen/byond/v1/lookup_pb.ts";
import { useTestApp } from "../support/app.ts";
import { limitsOf } from "../support/limit-settings.ts";

/** Lookup streams of a workspace at a time. */
const places = 100;
/** Fewer than a connection may have open. */
const streamsPerConnection = 50;

const app = useTestApp(limitsOf({ DEFAULT_TIER: "unlimited" }));
const connections: ClientHttp2Session[] = [];
afterAll(() => connections.forEach((connection) => void connection.destroy()));

let key: string;
let otherKey: string;
beforeAll(async () => {
  [key, otherKey] = [await app.mintKey(), await app.mintKey()];
});

const newConnection = () => {
  const connection = connect(app.url).on("error", () => undefined);
  connections.push(connection);
  return connection;
};

const question = (() => {
  const message = toBinary(
    StreamLookupRequestSchema,
    create(StreamLookupRequestSchema, { numbers: [{ number: "1" }] }),
  );
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
})();

function open(connection: ClientHttp2Session, caller = key): ClientHttp2Stream {
  const stream = connection.request({
    ":method": "POST",
    ":path": "/byond.v1.LookupService/StreamLookup",
    "content-type": "application/grpc",
    te: "trailers",
    "x-api-key": caller,
  });
  return stream.on("error", () => undefined);
}

/** Asks on a new stream, which stays open. Returns gRPC's status if it was refused. */
async function ask(connection: ClientHttp2Session, caller = key): Promise<string> {
  const stream = open(connection, caller);
  stream.write(question);
  const [headers] = await once(stream, "response");
  if (headers["grpc-status"] !== undefined) {
    return String(headers["grpc-status"]);
  }
  const trailers = once(stream, "trailers").then(([fields]) => String(fields["grpc-status"]));
  const answered = once(stream, "data").then(() => "open");
  return Promise.race([answered, trailers]);
}

/** Few at a time: questions that wait for their turn are refused beyond a limit of their own. */
async function askMany(count: number): Promise<string[]> {
  const statuses: string[] = [];
  let connection = newConnection();
  while (statuses.length < count) {
    if (statuses.length % streamsPerConnection === 0) {
      connection = newConnection();
    }
    statuses.push(...(await Promise.all(Array.from({ length: 10 }, () => ask(connection)))));
  }
  return statuses;
}

/** How a client leaves the streams that it has opened. */
const leave: Readonly<Record<string, () => Promise<unknown>>> = {
  "at once, with RST_STREAM": async () => {
    const connection = newConnection();
    for (let round = 0; round < 10; round += 1) {
      const streams = Array.from({ length: streamsPerConnection }, () => open(connection));
      await Promise.all(
        streams.map(async (stream) => {
          const closed = once(stream, "close");
          stream.close(constants.NGHTTP2_CANCEL);
          await closed;
        }),
      );
    }
  },
  "after a question, before its answer is read": async () => {
    const connection = newConnection();
    const streams = Array.from({ length: streamsPerConnection }, () => open(connection));
    for (const stream of streams) {
      stream.write(question);
    }
    await Promise.all(streams.map((stream) => once(stream, "response")));
    for (const stream of streams) {
      stream.close(constants.NGHTTP2_CANCEL);
    }
  },
  "in the middle of a message": async () => {
    const connection = newConnection();
    const streams = Array.from({ length: streamsPerConnection }, () => open(connection));
    await Promise.all(
      streams.map(
        (stream) => new Promise<void>((resolve) => void stream.write(question.subarray(0, 3), () => resolve())),
      ),
    );
    for (const stream of streams) {
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    }
  },
  "with the connection": async () => {
    await askMany(streamsPerConnection);
    connections.splice(0).forEach((connection) => void connection.destroy());
  },
  "in order": async () => {
    const connection = newConnection();
    const streams = Array.from({ length: streamsPerConnection }, () => open(connection));
    await Promise.all(
      streams.map(async (stream) => {
        const closed = once(stream.resume(), "close");
        stream.end(question);
        await closed;
      }),
    );
  },
};

test.each(Object.keys(leave))("streams that are left %s leave their places to others", async (how) => {
  await leave[how]?.();
  await expect
    .poll(async () => {
      const statuses = await askMany(places);
      connections.splice(0).forEach((connection) => void connection.destroy());
      return statuses.filter((status) => status !== "open");
    })
    .toEqual([]);
});

test("a workspace whose places are taken gets no more, and takes none from others", async () => {
  await expect
    .poll(async () => {
      const statuses = await askMany(places + 10);
      return statuses.filter((status) => status === "open").length === places;
    })
    .toBe(true);
  const connection = newConnection();
  expect(await ask(connection)).toBe("8");
  expect(await ask(connection, otherKey)).toBe("open");
});
