import { Socket } from "node:net";
import type { Registry } from "prom-client";
import { AppError } from "../errors.ts";
import { CertificateHolder, type CertificateSource } from "../server/certificate-source.ts";
import type { PortAddress } from "../server/one-port.ts";
import type { Assignment, Question, StartedWorker, ToPrimary, ToWorker } from "./messages.ts";
import type { SharedState } from "./shared-state.ts";

/** What a process of the server shares with the others. */
export interface Siblings {
  /** How many processes the server has, this one included. What takes a whole core is divided by it. */
  readonly count: number;
  readonly state: SharedState;
  /** The certificate of the port, from the process that reads it. Undefined: this process does, if there is one. */
  readonly certificate?: CertificateSource | undefined;
  /** See `acceptElsewhere` of `OnePortOptions`: who has the port. Undefined: this process. */
  readonly accept?: (place: PortAddress, take: (socket: Socket) => void) => Promise<PortAddress>;
  /** Makes the metrics of this process a part of what `readMetrics` returns everywhere. */
  shareMetrics(own: Registry): void;
  /** The metrics of all processes, summed up, in the text format of Prometheus. */
  readMetrics(): Promise<string>;
}

/** The answers that a worker waits for at the same time. */
const maxQuestions = 1_000;

/** A worker's end of the channel to the primary. Pass what arrives to `receive`. */
export class WorkerChannel implements Siblings {
  readonly #send: (message: ToPrimary) => void;
  readonly #assignment = Promise.withResolvers<Assignment>();
  readonly #questions = new Map<number, (answer: unknown) => void>();
  #asked = 0;
  #metrics: Registry | undefined;
  #take = (socket: Socket): void => {
    socket.destroy();
  };
  readonly #draining = Promise.withResolvers<void>();
  readonly #closing = Promise.withResolvers<void>();
  /** What to start. Until then, nothing may be asked. */
  readonly assignment: Promise<Assignment> = this.#assignment.promise;
  /** Resolves when the primary wants the worker to report that it is stopping. */
  readonly draining: Promise<void> = this.#draining.promise;
  /** Resolves when the primary wants the worker to finish what is in flight, and to end. */
  readonly closing: Promise<void> = this.#closing.promise;
  #count = 1;
  #certificate: CertificateHolder | undefined;

  constructor(send: (message: ToPrimary) => void) {
    this.#send = send;
    this.#send({ kind: "present" });
  }

  get count(): number {
    return this.#count;
  }

  get certificate(): CertificateSource | undefined {
    return this.#certificate;
  }

  started(worker: StartedWorker): void {
    this.#send({ kind: "started", worker });
  }

  /** The message that this worker cannot start. Send it before the process ends. */
  failure(explanation: string): ToPrimary {
    return { kind: "failed", explanation };
  }

  /** `socket`: what came with the message. */
  receive(message: ToWorker, socket: unknown): void {
    switch (message.kind) {
      case "start":
        this.#count = message.assignment.workers;
        this.#certificate = message.assignment.certificate && new CertificateHolder(message.assignment.certificate);
        this.#assignment.resolve(message.assignment);
        break;
      case "certificate":
        this.#certificate?.replace(message.certificate);
        break;
      case "drain":
        this.#draining.resolve();
        break;
      case "close":
        this.#closing.resolve();
        break;
      case "connection":
        this.#send({ kind: "taken", number: message.number });
        // It was closed on its way, if there is none.
        if (socket instanceof Socket) {
          this.#take(socket);
        }
        break;
      case "sent":
        this.#send({ kind: "taken", number: message.number });
        break;
      case "answer":
        this.#questions.get(message.to)?.(message.answer);
        this.#questions.delete(message.to);
        break;
      case "collect_metrics":
        void this.#metrics?.getMetricsAsJSON().then((metrics) => this.#send({ kind: "metrics", metrics }));
        break;
    }
  }

  readonly state: SharedState = {
    secret: async (name) => String(await this.#ask({ about: "secret", name })),
    claim: async (name) => (await this.#ask({ about: "claim", name })) === true,
    add: async (list, id, entry) => {
      await this.#ask({ about: "add", list, id, entry });
    },
    read: async (list, group) => {
      const entries = await this.#ask({ about: "read", list, group });
      return Array.isArray(entries) ? entries.map(String) : [];
    },
  };

  async accept(place: PortAddress, take: (socket: Socket) => void): Promise<PortAddress> {
    this.#take = take;
    const address = await this.#ask({ about: "port", place });
    return { ...place, ...(typeof address === "object" ? address : {}) };
  }

  shareMetrics(own: Registry): void {
    this.#metrics = own;
  }

  async readMetrics(): Promise<string> {
    return String(await this.#ask({ about: "metrics" }));
  }

  /** Throws `unavailable` if too many wait already. If the primary ends, so does this process. */
  #ask(question: Question): Promise<unknown> {
    if (this.#questions.size >= maxQuestions) {
      throw new AppError("unavailable", "The server is busy. Try again shortly.", { retryAfterSeconds: 1 });
    }
    const id = this.#asked++;
    return new Promise((resolve) => {
      this.#questions.set(id, resolve);
      this.#send({ kind: "question", id, question });
    });
  }
}
