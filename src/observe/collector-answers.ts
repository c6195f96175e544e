import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { ClientRequest, Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { TracingSettings } from "./tracing-settings.ts";

const channel = "http.client.request.created";

/** What the collector last did with a request. The SDK does not say it while it tries again, nor of what it has tried for too long. */
export class CollectorAnswers {
  /** Only requests of this agent count. */
  readonly agent: HttpAgent;
  /** The status of the answer, the code of the connection's error, or `timeout` as long as there is neither. */
  last = "timeout";

  constructor({ url, tls }: Pick<TracingSettings, "url" | "tls">) {
    this.agent = /^https:/i.test(url)
      ? new HttpsAgent({ keepAlive: true, ...tls })
      : new HttpAgent({ keepAlive: true });
    subscribe(channel, this.#watch);
  }

  close(): void {
    unsubscribe(channel, this.#watch);
  }

  readonly #watch = (message: unknown): void => {
    const request = typeof message === "object" && message !== null && "request" in message && message.request;
    if (!(request instanceof ClientRequest && "agent" in request && request.agent === this.agent)) {
      return;
    }
    this.last = "timeout";
    const onError = (error: NodeJS.ErrnoException): void => {
      this.last = error.code ?? error.name;
    };
    request.once("response", ({ statusCode }) => {
      this.last = String(statusCode);
    });
    request.once("error", onError);
    // It is destroyed then, which looks as if the collector had ended the connection.
    request.once("timeout", () => request.off("error", onError));
  };
}
