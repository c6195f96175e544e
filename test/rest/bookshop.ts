import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createServiceImplSpec, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { createGateway, type ErrorContext, type Gateway, type GatewayOptions } from "../../src/rest/gateway.ts";
import { GatewayError } from "../../src/rest/gateway-error.ts";
import type { RestError } from "../../src/rest/http-response.ts";
import { restJson } from "../../src/rest/json/json-style.ts";
import {
  type Book,
  BookSchema,
  BookshopService,
  type FollowSalesRequest,
  type FollowSalesResponseSchema,
  Genre,
} from "./gen/bookshop/v1/bookshop_pb.ts";

type Implementation = Partial<ServiceImpl<typeof BookshopService>>;

/** Handlers that answer what they were asked, so that tests see how requests are bound. */
export const echo: Implementation = {
  getBook: ({ name }) => ({ name, title: "Ulysses", subtitle: "" }),
  listBooks: (request) => ({ books: [{ name: "shelves/1/books/1" }], request }),
  createBook: ({ book, parent, validateOnly }) =>
    changed(book, { name: `${parent}/books/new`, title: `${validateOnly} ${book?.title}` }),
  updateBook: ({ book, updateMask, allowMissing }) =>
    changed(book, { subtitle: `${updateMask?.paths.join("|")} ${allowMissing}` }),
  deleteBook: () => ({}),
  moveBook: ({ name, shelf }) => ({ name: `${name}@${shelf}` }),
  tagBook: ({ name, tags }) => ({ name, tags: [...tags, name] }),
  getPage: (request) => ({ request }),
  purgeShelf: () => ({}),
  putCover: ({ name, cover }) => ({
    contentType: cover?.contentType ?? "image/png",
    data: cover?.data ?? new TextEncoder().encode(`cover of ${name}`),
  }),
  import: ({ contentType, data }) => ({ contentType, size: BigInt(data.length) }),
  watchBooks: ({ parent, limit }, context) => watch(parent, limit, context),
  followSales: follow,
};

/** How the sales are followed with server-sent events. */
export const salesEventStream = { id: "cursor", event: "sale.genre", lastEventId: "after" };

/** Two sales with a heartbeat between them, numbered from the request's `after`. */
async function* follow({
  after,
}: FollowSalesRequest): AsyncGenerator<MessageInitShape<typeof FollowSalesResponseSchema>> {
  const first = Number(after ?? 0) + 1;
  yield { cursor: String(first), sale: { title: "Ulysses", genre: Genre.NOVEL } };
  yield { cursor: String(first + 1) };
  yield { cursor: String(first + 2), sale: { title: "über\n\u2028" } };
}

function changed(book: Book | undefined, changes: Partial<Book>): Book {
  return Object.assign(create(BookSchema, book), changes);
}

async function* watch(
  parent: string,
  limit: number,
  context: HandlerContext,
): AsyncGenerator<MessageInitShape<typeof BookSchema>> {
  for (let number = 1; number <= limit; number += 1) {
    context.signal.throwIfAborted();
    yield { name: `${parent}/books/${number}` };
  }
  if (limit < 0) {
    throw new ConnectError("no such shelf", Code.NotFound);
  }
}

/** Errors as a test wants to see them. */
export function explain(error: unknown, _context: ErrorContext): RestError {
  if (error instanceof GatewayError) {
    const { kind, message, status, violations } = error;
    const fields = Object.fromEntries(violations.listed.map((violation) => [violation.path, violation.message]));
    return { status, body: { error: { kind, message, ...(violations.listed.length > 0 && { fields }) } } };
  }
  const { code, rawMessage } = ConnectError.from(error);
  return { status: code === Code.NotFound ? 404 : 500, body: { error: { kind: Code[code], message: rawMessage } } };
}

/** A gateway in front of the bookshop. */
export function openBookshop(options: Partial<GatewayOptions> = {}, implementation: Implementation = {}): Gateway {
  return createGateway({
    services: [createServiceImplSpec<typeof BookshopService>(BookshopService, { ...echo, ...implementation })],
    interceptors: [],
    json: restJson,
    errorResponse: explain,
    eventStream: ({ name }) => (name === "FollowSales" ? salesEventStream : undefined),
    ...options,
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly text: string;
  /** The body, parsed; `undefined` if it is not JSON. */
  readonly json: unknown;
}

export interface Call {
  /** JSON to send; sets `Content-Type`. */
  readonly json?: unknown;
  /** Text or bytes to send as they are, in one piece or several. */
  readonly body?: string | Uint8Array | readonly Uint8Array[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Sends a request, given as `METHOD /path`, through a gateway. */
export async function call(
  gateway: Gateway,
  line: string,
  { body, headers = {}, json, signal }: Call = {},
): Promise<Answer> {
  const [method = "", ...target] = line.split(" ");
  const sent = json === undefined ? body : JSON.stringify(json);
  const chunks = typeof sent === "string" ? [Buffer.from(sent)] : sent instanceof Uint8Array ? [sent] : (sent ?? []);
  const response = await gateway.handle({
    httpVersion: "1.1",
    method,
    url: `http://localhost:8080${target.join(" ")}`,
    header: new Headers({ ...(json !== undefined && { "content-type": "application/json" }), ...headers }),
    body: stream(chunks),
    signal: signal ?? new AbortController().signal,
  });
  const received: Uint8Array[] = [];
  for await (const chunk of response.body ?? []) {
    received.push(chunk);
  }
  const bytes = Buffer.concat(received);
  const text = bytes.toString();
  return { status: response.status, headers: response.header ?? new Headers(), bytes, text, json: parse(text) };
}

async function* stream(chunks: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* chunks;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
