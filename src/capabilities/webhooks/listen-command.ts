import { type Command, CommandError, type OperatorCommand } from "../../capability.ts";
import { systemClock } from "../../clock.ts";
import { createWebhookSecret, deliveryHeaders } from "../../outgoing/webhook-signature.ts";
import { followEvents, reasonOf } from "./follow-events.ts";

/** The time that an endpoint has to answer. */
const timeoutMs = 15_000;

/** `byond listen`: sends the events of a server to a program on this machine, as webhooks. Throws `CommandError` for unusable input. */
export const listenCommand: OperatorCommand = {
  summary:
    "Follows the events of a running server and sends them to a URL, signed as webhooks are, until Ctrl-C. For programs under development: it needs a key, no database, and repeats nothing.",
  options: {
    "forward-to": {
      value: "url",
      meaning: "Where to send events, such as http://localhost:3000/hook.",
      isRequired: true,
    },
    "api-key": { value: "key", meaning: "A key with the scope events, or without scopes. Default: BYONDAPI_KEY." },
    url: { value: "url", meaning: "The server. Default: BYOND_URL, or http://127.0.0.1:8080." },
    types: { value: "types", meaning: "Only events of these types, separated by commas." },
    secret: { value: "secret", meaning: "The secret to sign with, whsec_… Default: a new one, which is printed." },
  },
  run: listen,
};

/** Runs until the process ends. */
export async function listen({ options, environment, write }: Pick<Command, "options" | "environment" | "write">) {
  const apiKey = (options["api-key"] ?? environment.BYONDAPI_KEY ?? "").trim();
  if (apiKey === "") {
    throw new CommandError("Give an API key: --api-key, or BYONDAPI_KEY.");
  }
  // `fetch` would fail for what no header can contain, at every attempt, with a message that repeats it.
  if (!/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new CommandError(
      "The API key of --api-key or BYONDAPI_KEY contains spaces or other characters that no key has.",
    );
  }
  const server = parseUrl("url", options.url ?? (environment.BYOND_URL || "http://127.0.0.1:8080"));
  const target = parseUrl("forward-to", options["forward-to"] ?? "");
  const secret = options.secret ?? createWebhookSecret();
  if (!isWebhookSecret(secret)) {
    throw new CommandError("--secret must be whsec_ and the base64 of 24 to 64 bytes.");
  }
  const types = options.types?.split(",").map((type) => type.trim()) ?? [];
  write(`Sends events of ${server.origin} to ${target.href}, signed with the secret\n${secret}\n`);
  let isConnected: boolean | undefined;
  for await (const followed of followEvents({ server, apiKey, types })) {
    if (followed.kind === "event") {
      const outcome = await forward(followed, target, secret);
      write(`${describeEvent(followed.json)} ${outcome}\n`);
      continue;
    }
    const connected = followed.kind === "connected";
    if (connected !== isConnected) {
      write(connected ? "Connected.\n" : `Not connected: ${followed.reason.replace(/\.$/, "")}. Trying again.\n`);
      isConnected = connected;
    }
  }
}

/** Sends an event once. Returns the status of the answer, or why there is none. */
async function forward(
  { id, json: body }: { readonly id: string; readonly json: string },
  target: URL,
  secret: string,
): Promise<string> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(target, {
      method: "POST",
      headers: deliveryHeaders([secret], { id, body, now: systemClock.now() }),
      body,
      redirect: "manual",
      signal: timeout,
    });
    await response.body?.cancel();
    return `${response.status}`;
  } catch (error) {
    return `no answer: ${timeout.aborted ? `none within ${timeoutMs / 1_000} s` : reasonOf(error)}`;
  }
}

/** Its time, type and subject. */
function describeEvent(json: string): string {
  const { created_at: createdAt, type, data } = JSON.parse(json);
  return `${createdAt} ${type} ${data?.verification_id ?? data?.id}`;
}

function parseUrl(option: string, text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
    throw new CommandError(`--${option} must be an http or https URL, without a user.`);
  }
  return url;
}

function isWebhookSecret(text: string): boolean {
  const base64 = /^whsec_((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/.exec(text)?.[1] ?? "";
  const bytes = Buffer.from(base64, "base64").length;
  return bytes >= 24 && bytes <= 64;
}
