import { connect, createServer, type Server, type Socket } from "node:net";

/** A proxy between servers and their PostgreSQL that can stop forwarding, like a broken network: nothing is refused or closed. */
export class SilentProxy implements AsyncDisposable {
  readonly url: string;
  readonly #listener: Server;
  readonly #sockets: Set<Socket>;
  readonly #state: { isSilent: boolean };

  private constructor(url: string, listener: Server, sockets: Set<Socket>, state: { isSilent: boolean }) {
    this.url = url;
    this.#listener = listener;
    this.#sockets = sockets;
    this.#state = state;
  }

  static async open(databaseUrl: string): Promise<SilentProxy> {
    const target = new URL(databaseUrl);
    const sockets = new Set<Socket>();
    const state = { isSilent: false };
    const listener = createServer((near) => {
      const far = connect(Number(target.port), target.hostname);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(socket);
        socket.on("data", (chunk) => other.write(chunk));
        socket.on("error", () => undefined);
        socket.on("close", () => {
          sockets.delete(socket);
          other.destroy();
        });
        if (state.isSilent) {
          socket.pause();
        }
      }
    });
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const address = listener.address();
    const url = new URL(databaseUrl);
    url.host = `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
    return new SilentProxy(url.href, listener, sockets, state);
  }

  fallSilent(): void {
    this.#state.isSilent = true;
    for (const socket of this.#sockets) {
      socket.pause();
    }
  }

  speakAgain(): void {
    this.#state.isSilent = false;
    for (const socket of this.#sockets) {
      socket.resume();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    await new Promise<void>((resolve) => this.#listener.close(() => resolve()));
  }
}
