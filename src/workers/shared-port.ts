import type { ChildProcess } from "node:child_process";
import { createServer, type Server, type Socket } from "node:net";
import { untilNoneWaits } from "../server/none-waits.ts";
import { listen, type PortAddress, socketOptions } from "../server/one-port.ts";

/** A worker that takes connections. */
export interface Recipient {
  readonly child: Pick<ChildProcess, "send">;
  /**
   * Connections on their way to it, by their numbers, in order. They stay open here until it has them: Node would keep those of a killed
   * worker for ever.
   */
  readonly onTheWay: Map<number, Socket>;
}

/** A worker that is stopped, or busy for long, keeps no more clients waiting than these. Node hands over one at a time anyway. */
const maxOnTheWay = 4;
/** Connections that wait for a worker to take them. Further ones are closed at once. */
const maxWaiting = 10_000;
/** What closing waits for those that come meanwhile: a part of what the workers leave of their time. */
const closingMs = 250;

/**
 * The port of a server of several processes. It accepts the connections, and hands each to the next worker in turn, so that few and long
 * connections, as those of gRPC clients, are spread evenly. Workers say that they have one with `taken`. While one has not taken what it was
 * given, others get more.
 */
export class SharedPort {
  readonly #recipients: () => readonly Recipient[];
  readonly #listener: Server;
  readonly #waiting: Socket[] = [];
  #state: "starting" | "serving" | "closed" = "starting";
  #address: Promise<PortAddress> | undefined;
  #turn = 0;
  #arrived = 0;
  #handedOver = 0;

  /** `recipients`: the workers that take connections now. */
  constructor(recipients: () => readonly Recipient[]) {
    this.#recipients = recipients;
    this.#listener = createServer({ ...socketOptions, pauseOnConnect: true }, (socket) => {
      this.#arrived += 1;
      socket.on("error", () => undefined);
      if (this.#waiting.length < maxWaiting) {
        this.#waiting.push(socket);
        this.#handOver();
      } else {
        socket.destroy();
      }
    });
  }

  /** Opens the port when it is called first: connections wait until `serve` is called. Rejects with a `PortError`. */
  open(place: PortAddress): Promise<PortAddress> {
    this.#address ??= listen(this.#listener, place);
    return this.#address;
  }

  /** All workers have started. Clients that came before would all have stayed with the first one. */
  serve(): void {
    this.#state = "serving";
    this.#handOver();
  }

  /**
   * The worker has what was sent to it up to the connection with this number. It never gets those that it has not taken: it had no descriptor
   * left for them.
   */
  taken({ onTheWay }: Recipient, number: number): void {
    for (const [sent, socket] of onTheWay) {
      if (sent <= number) {
        onTheWay.delete(sent);
        socket.destroy();
      }
    }
    this.#handOver();
  }

  /** The worker has ended, and is not among the recipients any more. It has read nothing of what was on its way to it: others get that. */
  ended({ onTheWay }: Recipient): void {
    this.#waiting.unshift(...onTheWay.values());
    onTheWay.clear();
    this.#handOver();
  }

  /** Hands over what has come, and accepts no more. What no worker takes within a moment is closed. */
  async close(): Promise<void> {
    if (this.#state === "serving") {
      await untilNoneWaits(
        () => this.#arrived,
        closingMs,
        () => this.#waiting.length,
      );
    }
    this.#state = "closed";
    this.#listener.close();
    this.#handOver();
  }

  #handOver(): void {
    if (this.#state === "starting") {
      return;
    }
    const recipients = this.#state === "closed" ? [] : this.#recipients();
    if (recipients.length === 0) {
      for (const socket of this.#waiting.splice(0)) {
        socket.destroy();
      }
    }
    while (this.#waiting.length > 0) {
      const next = this.#next(recipients);
      const socket = next === undefined ? undefined : this.#waiting.shift();
      if (next === undefined || socket === undefined) {
        return;
      }
      const number = this.#handedOver++;
      next.onTheWay.set(number, socket);
      next.child.send({ kind: "connection", number }, socket, { keepOpen: true });
      if (next.onTheWay.size === maxOnTheWay) {
        // It may never get them, and Node does not say so. Messages arrive in order, and those without a descriptor always.
        next.child.send({ kind: "sent", number });
      }
    }
  }

  /** Whose turn it is, of those that have room. */
  #next(recipients: readonly Recipient[]): Recipient | undefined {
    const inTurn = recipients.map((_, index) => recipients[(this.#turn + index) % recipients.length]);
    const skipped = inTurn.findIndex((recipient) => recipient !== undefined && recipient.onTheWay.size < maxOnTheWay);
    this.#turn += skipped + 1;
    return inTurn[skipped];
  }
}
