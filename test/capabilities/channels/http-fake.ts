import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReceivedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface FakeAnswer {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A provider's HTTP interface in this process. */
export class HttpFake {
  readonly requests: ReceivedRequest[] = [];
  /** What the next requests get; "silence" is no answer at all, "hang up" a closed connection. */
  answer: FakeAnswer | "silence" | "hang up" = { status: 200 };
  /** Requests wait for it before they get their answer. */
  held: Promise<void> | undefined;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) {
        body += chunk;
      }
      this.requests.push({ path: request.url ?? "", headers: request.headers, body });
      await this.held;
      if (this.answer === "hang up") {
        request.socket.destroy();
      } else if (this.answer !== "silence") {
        response.writeHead(this.answer.status, this.answer.headers).end(this.answer.body);
      }
    });
  }

  static async open(): Promise<HttpFake> {
    const fake = new HttpFake();
    await new Promise<void>((resolve) => fake.#server.listen(0, "127.0.0.1", resolve));
    return fake;
  }

  get url(): string {
    const address = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}`;
  }

  /** The JSON of the last request. */
  get lastJson(): unknown {
    return JSON.parse(this.requests.at(-1)?.body ?? "null");
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
