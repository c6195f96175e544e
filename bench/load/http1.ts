import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface Answer {
  readonly status: number;
  readonly text: string;
}

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** The bytes of a request over HTTP/1.1. */
export function requestBytes(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>>,
  body?: unknown,
): string {
  const content = body === undefined ? undefined : JSON.stringify(body);
  const all = {
    Host: "127.0.0.1",
    ...(content === undefined
      ? {}
      : { "Content-Type": "application/json", "Content-Length": String(Buffer.byteLength(content)) }),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n${content ?? ""}`;
}

/**
 * A connection over HTTP/1.1 that sends requests one after the other. It parses no more of an answer than its end takes: the load must
 * cost less than what it loads.
 */
export class Http1Connection {
  readonly #socket: Socket;
  #received = "";
  #waiting: Waiting | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => this.#receive(text));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the server closed the connection")));
  }

  static async open(url: string): Promise<Http1Connection> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, "connect");
    return new Http1Connection(socket);
  }

  send(request: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (!this.isOpen) {
        reject(new Error("the server closed the connection"));
        return;
      }
      this.#waiting = { resolve, reject };
      this.#socket.write(request, "utf8");
    });
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #receive(text: string): void {
    this.#received += text;
    if (!isComplete(this.#received)) {
      return;
    }
    const answer = { status: Number(this.#received.slice(9, 12)), text: this.#received };
    this.#received = "";
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(answer);
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}

const contentLength = /\r\ncontent-length: *(\d+)/i;

function isComplete(received: string): boolean {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd === -1) {
    return false;
  }
  const head = received.slice(0, headEnd);
  const length = contentLength.exec(head)?.[1];
  if (length !== undefined) {
    return received.length >= headEnd + 4 + Number(length);
  }
  return /\r\ntransfer-encoding: *chunked/i.test(head) ? received.endsWith("\r\n0\r\n\r\n") : true;
}
