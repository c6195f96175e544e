/** Reads event streams over each protocol, in one form. */
import { ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { createParser } from "eventsource-parser";
import { ErrorInfoSchema } from "../../../gen/byond/v1/error_pb.ts";
import { EventSchema, EventService } from "../../../gen/byond/v1/event_pb.ts";
import { eventTypeOf } from "../../../src/events/event-types.ts";
import type { TestApp } from "../../support/app.ts";
import { type Credentials, writer } from "../../support/protocols.ts";

// biome-ignore lint/suspicious/noExplicitAny: a test reads JSON of which it says itself what it expects
type Json = any;

export interface StreamInput {
  readonly after?: string;
  readonly types?: readonly string[];
  readonly subject?: string;
}

/** What a stream brings: events in REST's JSON, and heartbeats, as far as the protocol shows them. */
export interface Received {
  readonly event?: Json;
  readonly resumeAfter?: string;
}

/** How a stream ended: with an error, whose code it is, before the stream began or later. */
export class StreamError extends Error {
  readonly code: string;
  readonly status: number | undefined;

  constructor(code: string, status?: number) {
    super(`the stream ended with ${code}`);
    this.code = code;
    this.status = status;
  }
}

export interface StreamClient {
  readonly name: string;
  /** Whether heartbeats and the place to resume can be seen. */
  readonly showsHeartbeats: boolean;
  read(
    app: Pick<TestApp, "url">,
    credentials: Credentials,
    input?: StreamInput,
    signal?: AbortSignal,
  ): AsyncIterable<Received>;
}

function headersOf({ key, session, headers = {} }: Credentials): Record<string, string> {
  return {
    ...headers,
    ...(key === undefined ? {} : { "x-api-key": key }),
    ...(session === undefined ? {} : { authorization: `Bearer ${session}` }),
  };
}

function rpc(name: string, transportTo: (baseUrl: string) => Transport): StreamClient {
  return {
    name,
    showsHeartbeats: true,
    async *read(app, credentials, { after, types = [], subject } = {}, signal) {
      const client = createClient(EventService, transportTo(app.url));
      const request = {
        types: types.map(eventTypeOf),
        ...(after === undefined ? {} : { after }),
        ...(subject === undefined ? {} : { subject }),
      };
      const write = writer.message(EventSchema);
      try {
        for await (const { event, resumeAfter } of client.streamEvents(request, {
          headers: headersOf(credentials),
          ...(signal === undefined ? {} : { signal }),
        })) {
          yield { resumeAfter, ...(event === undefined ? {} : { event: JSON.parse(JSON.stringify(write(event))) }) };
        }
      } catch (error) {
        const [info] = ConnectError.from(error).findDetails(ErrorInfoSchema);
        throw info === undefined ? error : new StreamError(info.code);
      }
    },
  };
}

function query({ after, types = [], subject }: StreamInput): string {
  const parameters: [string, string][] = [
    ...single("after", after),
    ...types.map((type): [string, string] => ["types", type]),
    ...single("subject", subject),
  ];
  return String(new URLSearchParams(parameters));
}

function single(name: string, value: string | undefined): [string, string][] {
  return value === undefined ? [] : [[name, value]];
}

async function* chunksOf(
  app: Pick<TestApp, "url">,
  accept: string,
  credentials: Credentials,
  input: StreamInput,
  signal: AbortSignal | undefined,
): AsyncIterable<string> {
  const response = await fetch(`${app.url}/api/v1/events/stream?${query(input)}`, {
    headers: { ...headersOf(credentials), accept },
    ...(signal === undefined ? {} : { signal }),
  });
  if (response.status !== 200) {
    const { error }: Json = await response.json();
    throw new StreamError(error.code, response.status);
  }
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    yield decoder.decode(chunk, { stream: true });
  }
}

const serverSentEvents: StreamClient = {
  name: "server-sent events",
  showsHeartbeats: false,
  async *read(app, credentials, input = {}, signal) {
    const parsed: { event: string | undefined; id: string | undefined; data: string }[] = [];
    const parser = createParser({ onEvent: ({ event, id, data }) => parsed.push({ event, id, data }) });
    for await (const chunk of chunksOf(app, "text/event-stream", credentials, input, signal)) {
      parser.feed(chunk);
      for (const { event, id, data } of parsed.splice(0)) {
        if (event === "error") {
          throw new StreamError(JSON.parse(data).error.code);
        }
        yield { event: JSON.parse(data), ...(id === undefined ? {} : { resumeAfter: id }) };
      }
    }
  },
};

const linesOfJson: StreamClient = {
  name: "lines of JSON",
  showsHeartbeats: false,
  async *read(app, credentials, input = {}, signal) {
    let rest = "";
    for await (const chunk of chunksOf(app, "application/x-ndjson", credentials, input, signal)) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const event: Json = JSON.parse(line);
        if (event.error !== undefined) {
          throw new StreamError(event.error.code);
        }
        yield { event, resumeAfter: event.id };
      }
    }
  },
};

const grpc = rpc("gRPC", (baseUrl) => createGrpcTransport({ baseUrl }));

export const streamClients: readonly StreamClient[] = [
  grpc,
  rpc("gRPC-Web", (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "2" })),
  rpc("Connect with protobuf", (baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: true }),
  ),
  rpc("Connect with JSON", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2", useBinaryFormat: false })),
  serverSentEvents,
  linesOfJson,
];

export { grpc as grpcStream, serverSentEvents as eventStream };
