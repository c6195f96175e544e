import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { jsmppJars } from "./jsmpp-jars.ts";

export interface Submission {
  readonly text: string;
  /** As the simulator returned it: hexadecimal. Its receipts have it in decimal. */
  readonly messageId: string;
}

const startTimeoutMs = 60_000;

/**
 * jsmpp's SMSC simulator in a process of its own, just as it is published. It accepts the account `j` with the password `jpwd`, and
 * reports each message as delivered after a second.
 */
export class SmscSimulator implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;
  #log = "";

  private constructor(port: number, classPath: string) {
    this.port = port;
    this.#child = spawn(
      "java",
      [`-Djsmpp.simulator.port=${port}`, "-Xmx64m", "-cp", classPath, "org.jsmpp.examples.SMPPServerSimulator"],
      { stdio: ["ignore", "ignore", "pipe"], env: { PATH: process.env.PATH } },
    );
    const end = () => this.#child.kill("SIGKILL");
    process.once("exit", end);
    this.#child.once("exit", () => process.off("exit", end));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#log += text;
    });
  }

  static async start(port: number): Promise<SmscSimulator> {
    const simulator = new SmscSimulator(port, await jsmppJars());
    await simulator.logged(/Listening on port/);
    return simulator;
  }

  /** The messages that it received. */
  get submissions(): Submission[] {
    const lines = this.#log.matchAll(/Receiving submit_sm '([^']*)', and return message id (\w+)/g);
    return Array.from(lines, ([, text = "", messageId = ""]) => ({ text, messageId }));
  }

  /** How often its log has something. */
  count(pattern: RegExp): number {
    return this.#log.match(new RegExp(pattern, "g"))?.length ?? 0;
  }

  /** Waits until its log has something. Throws with the log if it ends before, or does not come to it. */
  async logged(pattern: RegExp): Promise<void> {
    const late = AbortSignal.timeout(startTimeoutMs);
    while (!pattern.test(this.#log)) {
      if (late.aborted || this.#child.exitCode !== null || this.#child.stderr === null) {
        throw new Error(`the simulator did not log ${pattern}:\n${this.#log}`);
      }
      const ended = once(this.#child, "exit", { signal: late });
      await Promise.race([once(this.#child.stderr, "data", { signal: late }), ended]).catch(() => undefined);
    }
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGKILL");
      await once(this.#child, "exit");
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
