import { setTimeout as wait } from "node:timers/promises";
import type pg from "pg";
import type { MessageProvider } from "../guard/message-provider.ts";
import { requestBytes } from "../load/http1.ts";
import { restCaller } from "../load/load.ts";
import type { Server } from "../processes.ts";

const connections = 16;
let recipients = 0;

/** A German mobile number, another one each time. */
function nextRecipient(): string {
  recipients += 1;
  return `+4915${String(recipients * 7_919)
    .slice(-9)
    .padStart(9, "0")}`;
}

/** A verification that was started. */
export interface Started {
  readonly id: string;
  readonly recipient: string;
}

/** Calls of one key to one server. */
export class VerificationLoad {
  readonly #url: string;
  readonly #key: string;
  readonly #provider: MessageProvider;

  constructor(byond: Server, key: string, provider: MessageProvider) {
    this.#url = byond.url;
    this.#key = key;
    this.#provider = provider;
  }

  async start(count: number): Promise<readonly Started[]> {
    const asked: string[] = [];
    const started: Started[] = [];
    using caller = restCaller({
      url: this.#url,
      connections,
      status: 201,
      request: (index) => {
        const recipient = nextRecipient();
        asked[index] = recipient;
        return this.#post("start", { channel: "sms", recipient });
      },
      onAnswer: ({ text }, index) => {
        started.push({ id: /"verification_id":"(\w+)"/.exec(text)?.[1] ?? "", recipient: asked[index] ?? "" });
      },
    });
    await caller.run({ calls: count });
    return started;
  }

  async check(verifications: readonly Started[], isRight: boolean): Promise<void> {
    using caller = restCaller({
      url: this.#url,
      connections,
      status: 200,
      request: (index) => {
        const { id = "", recipient = "" } = verifications[index] ?? {};
        const code = this.#provider.codes.get(recipient) ?? "";
        const wrong = `${(Number(code[0]) + 1) % 10}${code.slice(1)}`;
        return this.#post("check", { verification_id: id, code: isRight ? code : wrong });
      },
      onAnswer: ({ text }) => {
        if (text.includes('"approved"') !== isRight) {
          throw new Error(`a ${isRight ? "right" : "wrong"} code was answered with:\n${text}`);
        }
      },
    });
    await caller.run({ calls: verifications.length });
  }

  #post(operation: string, body: unknown): string {
    return requestBytes("POST", `/api/v1/verify/${operation}`, { "X-API-Key": this.#key }, body);
  }
}

/** Everything that follows a call is done: messages are sent, events have positions. */
export async function isSettled(client: pg.Client): Promise<void> {
  await untilNone(client, "SELECT FROM outbox WHERE finished_at IS NULL LIMIT 1");
  await untilNone(client, "SELECT FROM event_pending LIMIT 1");
}

export async function untilNone(client: pg.Client, statement: string): Promise<void> {
  while ((await client.query(statement)).rows.length > 0) {
    await wait(500);
  }
}
