import { connect, createServer, type Server, type Socket } from "node:net";

/** Cuts the connection whose client sends a given text. */
export interface Cut {
  /** In the bytes that the client sends: the name of a prepared statement, or `COMMIT`. */
  readonly text: string;
  /** Only in the transaction in which the client sends this, too: a server also commits what it does by the clock. */
  readonly transactionWith?: string;
  /** `before`: PostgreSQL never gets it. `after`: PostgreSQL has answered it, but the answer does not arrive. */
  readonly when: "before" | "after";
  /** Whether nobody gets a connection from then on, until `accept`. */
  readonly refuseAfterwards?: boolean;
}

/** A proxy between servers and their PostgreSQL that cuts one connection at a chosen moment. */
export class CuttingProxy implements AsyncDisposable {
  readonly url: string;
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();
  #target: URL;
  #cut: Cut | undefined;
  #refuses = false;
  #cuts = 0;

  private constructor(databaseUrl: string, listener: Server) {
    const address = listener.address();
    const url = new URL(databaseUrl);
    url.host = `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
    this.url = url.href;
    this.#listener = listener;
    this.#target = new URL(databaseUrl);
    listener.on("connection", (near) => this.#connect(near, this.#target));
  }

  static async open(databaseUrl: string): Promise<CuttingProxy> {
    const listener = createServer();
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    return new CuttingProxy(databaseUrl, listener);
  }

  /** How many connections were cut. */
  get cuts(): number {
    return this.#cuts;
  }

  cutNext(cut: Cut): void {
    this.#cut = cut;
  }

  /** Where connections lead that are made from now on. */
  lead(databaseUrl: string): void {
    this.#target = new URL(databaseUrl);
  }

  accept(): void {
    this.#refuses = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    await new Promise<void>((resolve) => this.#listener.close(() => resolve()));
  }

  #connect(near: Socket, target: URL): void {
    if (this.#refuses) {
      near.destroy();
      return;
    }
    const far = connect(Number(target.port), target.hostname);
    let isDoomed = false;
    /** Whether the transaction is the one that is to be cut. */
    let isMeant = false;
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    const end = () => {
      this.#cuts += 1;
      near.destroy();
    };
    near.on("data", (chunk) => {
      const cut = this.#cut;
      isMeant ||= cut?.transactionWith !== undefined && chunk.includes(cut.transactionWith);
      if (cut === undefined || !chunk.includes(cut.text) || (cut.transactionWith !== undefined && !isMeant)) {
        isMeant &&= !chunk.includes("COMMIT");
        far.write(chunk);
        return;
      }
      this.#cut = undefined;
      this.#refuses = cut.refuseAfterwards === true;
      if (cut.when === "before") {
        end();
        return;
      }
      isDoomed = true;
      far.write(chunk);
    });
    far.on("data", (chunk) => {
      if (isDoomed) {
        end();
      } else {
        near.write(chunk);
      }
    });
  }
}
