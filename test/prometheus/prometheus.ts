import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { freePort } from "../support/free-port.ts";

/** A value of a query, or of one of its series. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  /** A number as text: it may be `NaN`. */
  readonly value: string;
}

/** Prometheus on 127.0.0.1, with its data in a temporary folder. It scrapes two servers each second, as the job `byond`. */
export class Prometheus implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #url: string;
  #log = "";

  private constructor(child: ChildProcess, folder: string, url: string) {
    this.#child = child;
    this.#folder = folder;
    this.#url = url;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#log += text;
    });
  }

  /** `target` and `secureTarget`, which speaks TLS: `host:port`. `ruleFile`: a path. */
  static async start({
    target,
    secureTarget,
    ruleFile,
  }: {
    readonly target: string;
    readonly secureTarget: string;
    readonly ruleFile: string;
  }): Promise<Prometheus> {
    const folder = await mkdtemp(join(tmpdir(), "byond-prometheus-"));
    const port = await freePort();
    const settings = {
      global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
      rule_files: [ruleFile],
      scrape_configs: [
        {
          job_name: "byond",
          tls_config: { insecure_skip_verify: true },
          static_configs: [{ targets: [target] }, { targets: [secureTarget], labels: { __scheme__: "https" } }],
        },
      ],
    };
    // JSON is YAML.
    await writeFile(join(folder, "prometheus.yml"), JSON.stringify(settings));
    const address = `127.0.0.1:${port}`;
    const child = spawn(
      "prometheus",
      [
        `--config.file=${join(folder, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=${address}`,
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    const prometheus = new Prometheus(child, folder, `http://${address}`);
    const ready = () =>
      fetch(`${prometheus.#url}/-/ready`).then(
        ({ status }) => status,
        () => 0,
      );
    await vi.waitFor(async () => {
      if ((await ready()) !== 200) {
        throw new Error(`Prometheus is not ready:\n${prometheus.#log}`);
      }
    }, 30_000);
    return prometheus;
  }

  /** What a query has now. Throws what Prometheus says if it cannot be read. */
  async query(expression: string): Promise<Sample[]> {
    const response = await fetch(`${this.#url}/api/v1/query`, {
      method: "POST",
      body: new URLSearchParams({ query: expression }),
    });
    const answer: {
      readonly error?: string;
      readonly data?: {
        readonly result: { readonly metric: Sample["metric"]; readonly value: readonly [number, string] }[];
      };
    } = JSON.parse(await response.text());
    if (answer.data === undefined) {
      throw new Error(`${answer.error}: ${expression}`);
    }
    return answer.data.result.map(({ metric, value: [, value] }) => ({ metric, value }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await exited;
    await rm(this.#folder, { recursive: true, force: true });
  }
}
