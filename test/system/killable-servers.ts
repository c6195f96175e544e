import { ServerProcess, type ServerProcessOptions } from "../support/processes.ts";
import { until } from "./load.ts";

/** Servers on one database. Some are killed while they are called, and replaced. */
export class KillableServers implements AsyncDisposable {
  readonly #killed = new Set<ServerProcess>();
  readonly #all: ServerProcess[];
  #present: ServerProcess[];

  private constructor(servers: readonly ServerProcess[]) {
    this.#present = [...servers];
    this.#all = [...servers];
  }

  static async start(count: number, options: ServerProcessOptions): Promise<KillableServers> {
    return new KillableServers(await Promise.all(Array.from({ length: count }, () => ServerProcess.start(options))));
  }

  /** A server that is not known to be killed. */
  any(): ServerProcess {
    const server = this.#present[Math.floor(Math.random() * this.#present.length)];
    if (server === undefined) {
      throw new Error("no server is left");
    }
    return server;
  }

  /**
   * Kills servers with -9, each at a random point of a progress that goes up to `end`, and starts others in their place. One
   * is left at any time. Resolves when all are replaced.
   */
  async killAtRandom(count: number, end: number, progress: () => number): Promise<void> {
    const points = Array.from({ length: count }, () => Math.random() * end).sort((one, other) => one - other);
    const restarts: Promise<void>[] = [];
    for (const point of points) {
      while (progress() < point) {
        const before = progress();
        await until("the load goes on", 60_000, () => progress() > before);
      }
      await until("another server is up", 60_000, () => this.#present.length > 1);
      restarts.push(this.#replace(this.any()));
    }
    await Promise.all(restarts);
  }

  get kills(): number {
    return this.#killed.size;
  }

  /** What those wrote that ended without being killed. */
  get unexpectedExits(): string[] {
    return this.#all.filter((server) => !server.isRunning && !this.#killed.has(server)).map(({ written }) => written);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((server) => server.kill()));
  }

  async #replace(server: ServerProcess): Promise<void> {
    this.#present = this.#present.filter((other) => other !== server);
    this.#killed.add(server);
    await server.kill();
    const next = await server.startAnother();
    this.#all.push(next);
    this.#present.push(next);
  }
}
