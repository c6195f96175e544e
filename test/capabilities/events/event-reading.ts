import type { TestApp } from "../../support/app.ts";
import { protocols } from "../../support/protocols.ts";
import { eventsOnce } from "./event-calls.ts";
import type { EventOwner } from "./event-writers.ts";
import { type Received, StreamError } from "./stream-clients.ts";

export const restProtocol = protocols.find(({ name }) => name === "REST") ?? missing();

function missing(): never {
  throw new Error("there is no REST");
}

let owners = 0;

export interface EventKey extends EventOwner {
  readonly session: string;
  readonly key: string;
  /** An address that nobody else uses. */
  readonly address: (name: string) => string;
}

/** A key of a new account. Its one event, that it was created, can be read. */
export async function newEventOwner(app: TestApp, mode: "live" | "test" = "test"): Promise<EventKey> {
  const { session, workspaceId } = await app.signUp();
  const { body } = await app.rest("POST", "/api-keys", { session, body: { name: "streams", mode } });
  const number = ++owners;
  await eventsOnce(1, restProtocol, app, { key: body.key });
  return {
    workspaceId,
    mode,
    keyId: String(body.id),
    session,
    key: String(body.key),
    address: (name) => `${name}-${number}@stream.example`,
  };
}

/** A stream that is read step by step. */
export class Reading {
  readonly #iterator: AsyncIterator<Received>;
  readonly events: Received["event"][] = [];
  readonly heartbeats: (string | undefined)[] = [];
  resumeAfter: string | undefined;

  constructor(stream: AsyncIterable<Received>) {
    this.#iterator = stream[Symbol.asyncIterator]();
  }

  async next(): Promise<Received | undefined> {
    const next = await this.#iterator.next();
    if (next.done === true) return undefined;
    const { event, resumeAfter } = next.value;
    this.resumeAfter = resumeAfter;
    if (event === undefined) this.heartbeats.push(resumeAfter);
    else this.events.push(event);
    return next.value;
  }

  async until(count: number): Promise<Received["event"][]> {
    while (this.events.length < count && (await this.next()) !== undefined);
    return this.events;
  }

  /** The code of the error that it ends with. */
  async end(): Promise<string> {
    try {
      while ((await this.next()) !== undefined);
      return "ok";
    } catch (error) {
      if (error instanceof StreamError) return error.code;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}
