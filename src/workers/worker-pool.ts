import type { ChildProcess } from "node:child_process";
import type { Logger } from "../observe/log.ts";
import type { CertificateSource } from "../server/certificate-source.ts";
import { forwardLines } from "./forward-lines.ts";
import type { Assignment, Question, StartedWorker, ToPrimary, ToWorker } from "./messages.ts";
import { type Recipient, SharedPort } from "./shared-port.ts";
import { LocalState } from "./shared-state.ts";
import { SummedMetrics } from "./summed-metrics.ts";

/** A worker that ends sooner after it has started is replaced after a pause, which doubles each time. */
const soonMs = 10_000;
const firstPauseMs = 500;
const longestPauseMs = 30_000;

export interface WorkerPoolOptions {
  readonly assignment: Omit<Assignment, "certificate">;
  /** Undefined: the port does not speak TLS. */
  readonly certificate: CertificateSource | undefined;
  /** Starts the process of a worker, whose standard error is a pipe. Workers are numbered from 1; one that replaces another has its number. */
  readonly fork: (number: number) => ChildProcess;
  readonly logger: Logger;
  /** Gets whole lines that workers have written to standard error. */
  readonly write: (lines: string) => void;
}

/** A worker could not start. The message is written for the operator. */
export class WorkerStartError extends Error {
  override readonly name = "WorkerStartError";
}

interface Member extends Recipient {
  readonly child: ChildProcess;
  /** Unique, unlike the number, which its replacement has too. */
  readonly id: number;
  readonly number: number;
  /** By `performance.now()`. Undefined: it is starting. */
  startedAtMs: number | undefined;
  /** Resolves when it has ended, and all that it wrote has been read. */
  readonly ended: Promise<EndedWorker>;
}

interface EndedWorker {
  readonly exit_code: number | null;
  readonly signal: string | null;
}

/**
 * The processes of a server, from the point of view of the primary, which serves nobody itself. A worker is
 *
 * - starting, until it says `started`; if it is one of the first and fails, so does the whole start;
 * - serving, until it ends;
 * - then replaced: at once, or after a pause if it ended soon. A replacement that fails to start is one that ended soon.
 *
 * Once `drain` or `close` was called, nobody is replaced.
 */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #members = new Set<Member>();
  readonly #replacements = new Set<NodeJS.Timeout>();
  readonly #state = new LocalState();
  readonly #metrics = new SummedMetrics((id) => {
    this.#tell(
      this.#members.values().find((member) => member.id === id),
      { kind: "collect_metrics" },
    );
  });
  readonly #port = new SharedPort(() => this.#serving);
  #isStopping = false;
  #launched = 0;

  private constructor(options: WorkerPoolOptions) {
    this.#options = options;
    // Those that are only starting get it with their assignment.
    options.certificate?.follow((certificate) => this.#tellAll({ kind: "certificate", certificate }));
  }

  /**
   * Starts the workers: one, which migrates the database and creates what an empty one needs, then the others together. Throws
   * `WorkerStartError` if one cannot start; then all have ended.
   */
  static async start(
    options: WorkerPoolOptions,
  ): Promise<{ readonly pool: WorkerPool; readonly first: StartedWorker }> {
    const pool = new WorkerPool(options);
    try {
      const first = await pool.#launch(1, 0);
      const others = Array.from({ length: options.assignment.workers - 1 }, (_, index) => pool.#launch(index + 2, 0));
      await Promise.all(others);
      pool.#port.serve();
      return { pool, first };
    } catch (error) {
      await pool.#port.close();
      pool.#kill();
      await pool.close(0);
      throw error;
    }
  }

  /** Has all workers report that they are stopping. They go on serving. */
  drain(): void {
    this.#isStopping = true;
    this.#tellAll({ kind: "drain" });
  }

  /** Has all workers finish what is in flight, and end. Those that are left after `withinMs` are killed. False if there were any. */
  async close(withinMs: number): Promise<boolean> {
    this.#isStopping = true;
    for (const timer of this.#replacements) {
      clearTimeout(timer);
    }
    const left = setTimeout(() => this.#kill(), withinMs);
    await this.#port.close();
    this.#tellAll({ kind: "close" });
    const members = [...this.#members];
    const ends = await Promise.all(members.map(({ ended }) => ended));
    clearTimeout(left);
    return ends.every(({ signal }) => signal !== "SIGKILL");
  }

  #kill(): void {
    for (const { child } of this.#members) {
      child.kill("SIGKILL");
    }
  }

  /** `earlyEnds`: how often workers of this number have ended soon, one after the other. */
  async #launch(number: number, earlyEnds: number): Promise<StartedWorker> {
    const { assignment, certificate, fork, write } = this.#options;
    const child = fork(number);
    const id = this.#launched++;
    const member: Member = {
      id,
      number,
      child,
      onTheWay: new Map(),
      startedAtMs: undefined,
      ended: endOf(child, write),
    };
    const started = Promise.withResolvers<StartedWorker>();
    let explanation: string | undefined;
    this.#members.add(member);
    child.on("message", (message: ToPrimary) => {
      switch (message.kind) {
        case "present":
          this.#tell(member, { kind: "start", assignment: { ...assignment, certificate: certificate?.current } });
          break;
        case "started":
          member.startedAtMs = performance.now();
          started.resolve(message.worker);
          break;
        case "failed":
          explanation = message.explanation;
          break;
        case "question":
          this.#answer(message.question).then(
            (answer) => this.#tell(member, { kind: "answer", to: message.id, answer }),
            // The port cannot be opened: the worker that waits for it is not needed.
            (error: Error) => started.reject(error),
          );
          break;
        case "taken":
          this.#port.taken(member, message.number);
          break;
        case "metrics":
          this.#metrics.received(id, message.metrics);
          break;
      }
    });
    void member.ended.then((end) => {
      this.#members.delete(member);
      this.#metrics.ended(id);
      this.#port.ended(member);
      if (member.startedAtMs === undefined) {
        const how = end.signal ?? `exit status ${end.exit_code}`;
        started.reject(new WorkerStartError(explanation ?? `A worker ended while it started (${how}).`));
      } else if (!this.#isStopping) {
        const isEarly = performance.now() - member.startedAtMs < soonMs;
        this.#replace(number, isEarly ? earlyEnds + 1 : 0, { ...end });
      }
    });
    return started.promise;
  }

  #replace(number: number, earlyEnds: number, reason: object): void {
    const pauseMs = earlyEnds === 0 ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** (earlyEnds - 1));
    this.#options.logger.error("worker_ended", { worker: number, ...reason, replaced_after_ms: pauseMs });
    const timer = setTimeout(async () => {
      this.#replacements.delete(timer);
      try {
        await this.#launch(number, earlyEnds);
        this.#options.logger.info("worker_replaced", { worker: number });
      } catch (error) {
        if (!this.#isStopping) {
          this.#replace(number, earlyEnds + 1, { error });
        }
      }
    }, pauseMs);
    this.#replacements.add(timer);
  }

  async #answer(question: Question): Promise<unknown> {
    switch (question.about) {
      case "secret":
        return this.#state.secret(question.name);
      case "claim":
        return this.#state.claim(question.name);
      case "add":
        return this.#state.add(question.list, question.id, question.entry);
      case "read":
        return this.#state.read(question.list, question.group);
      case "metrics":
        return this.#metrics.read(this.#serving.map(({ id }) => id));
      case "port":
        return this.#port.open(question.place);
    }
  }

  get #serving(): readonly Member[] {
    return [...this.#members].filter(({ startedAtMs, child }) => startedAtMs !== undefined && child.connected);
  }

  #tellAll(message: ToWorker): void {
    for (const member of this.#members) {
      this.#tell(member, message);
    }
  }

  #tell(member: Member | undefined, message: ToWorker): void {
    if (member?.child.connected) {
      member.child.send(message);
    }
  }
}

async function endOf(child: ChildProcess, write: (lines: string) => void): Promise<EndedWorker> {
  const { stderr } = child;
  const exited = Promise.withResolvers<EndedWorker>();
  child.once("exit", (exitCode, signal) => exited.resolve({ exit_code: exitCode, signal }));
  child.on("error", () => {
    // Otherwise it is the channel's, of a worker that is ending.
    if (child.pid === undefined) {
      exited.resolve({ exit_code: null, signal: null });
    }
  });
  const [end] = await Promise.all([exited.promise, stderr === null ? undefined : forwardLines(stderr, write)]);
  return end;
}
