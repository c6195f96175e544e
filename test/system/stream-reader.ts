import { setTimeout as pause } from "node:timers/promises";
import { eventStream, StreamError } from "../capabilities/events/stream-clients.ts";
import type { KillableServers } from "./killable-servers.ts";

export interface StreamReaderOptions {
  readonly servers: KillableServers;
  readonly key: string;
  /** It leaves after a random number of events up to this one. */
  readonly leavesWithin: number;
}

/**
 * Reads the stream of events from its start as a browser does: it comes back with `Last-Event-ID` whenever it has left by itself or
 * lost its server, to any server.
 */
export class StreamReader {
  readonly seen: string[] = [];
  connections = 0;
  /** How many of them ended because the server did. */
  lost = 0;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: StreamReaderOptions) {
    this.#running = this.#run(options);
    // Until `stop` is called, nobody waits for it.
    this.#running.catch(() => undefined);
  }

  /** Rejects if a stream was refused. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run({ servers, key, leavesWithin }: StreamReaderOptions): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.connections += 1;
      const leaving = new AbortController();
      const signal = AbortSignal.any([leaving.signal, this.#stopping.signal]);
      let left = Math.ceil(Math.random() * leavesWithin);
      const last = this.seen.at(-1);
      const headers = last === undefined ? {} : { "Last-Event-ID": last };
      try {
        for await (const { event } of eventStream.read(servers.any(), { key, headers }, { after: "start" }, signal)) {
          this.seen.push(event.id);
          left -= 1;
          if (left === 0) {
            leaving.abort();
          }
        }
      } catch (error) {
        if (error instanceof StreamError) {
          throw error;
        }
        if (!signal.aborted) {
          this.lost += 1;
          // A server that is gone is not asked again at once.
          await pause(50);
        }
      }
    }
  }
}
