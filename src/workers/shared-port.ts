import type { ChildProcess } from "node:child_process";
import { createServer, type Server, type Socket } from "node:net";
import { listen, type PortAddress, socketOptions } from "../server/one-port.ts";

/** A worker that takes connections. */
export interface Recipient {
  readonly child: ChildProcess;
  /** Connections on their way to it, in order. They stay open here until it has them: Node would keep those of a killed worker for ever. */
  readonly onTheWay: Socket[];
}

/**
 * The port of a server of several processes. It accepts the connections, and hands each to the next worker in turn, so that few and long
 * connections, as those of gRPC clients, are spread evenly. Workers say that they have one with `taken`.
 */
export class SharedPort {
  readonly #recipients: () => readonly Recipient[];
  readonly #listener: Server;
  #address: Promise<PortAddress> | undefined;
  #turn = 0;

  /** `recipients`: the workers that take connections now. */
  constructor(recipients: () => readonly Recipient[]) {
    this.#recipients = recipients;
    this.#listener = createServer({ ...socketOptions, pauseOnConnect: true }, (socket) => {
      socket.on("error", () => undefined);
      this.#handOver(socket);
    });
  }

  /** Opens the port when it is called first. Rejects with a `PortError`. */
  open(place: PortAddress): Promise<PortAddress> {
    this.#address ??= listen(this.#listener, place);
    return this.#address;
  }

  taken({ onTheWay }: Recipient): void {
    onTheWay.shift()?.destroy();
  }

  /** The worker has ended, and is not among the recipients any more. It has read nothing of what was on its way to it: others get that. */
  ended({ onTheWay }: Recipient): void {
    for (const socket of onTheWay.splice(0)) {
      this.#handOver(socket);
    }
  }

  /** Accepts no more. */
  close(): void {
    this.#listener.close();
  }

  #handOver(socket: Socket): void {
    const recipients = this.#recipients();
    const recipient = recipients[this.#turn++ % recipients.length];
    if (recipient === undefined) {
      socket.destroy();
      return;
    }
    recipient.onTheWay.push(socket);
    recipient.child.send({ kind: "connection" }, socket, { keepOpen: true });
  }
}
