/** A server, a workspace with keys of each kind, and calls as pages make them. */
import { beforeAll, expect } from "vitest";
import { useTestApp } from "../support/app.ts";
import { limitsOf } from "../support/limit-settings.ts";

export const shop = "https://shop.example";
export const local = "http://localhost:3000";

/** Behind a proxy, so that pages have addresses of their own. */
export const behindProxy = (environment: Readonly<Record<string, string>> = {}) =>
  limitsOf({ DEFAULT_TIER: "unlimited", SIGN_UP_LIMIT: "1000000", TRUSTED_PROXIES: "127.0.0.1", ...environment });

export function usePages() {
  const app = useTestApp(behindProxy());
  const keys = { session: "", secret: "", secretTest: "", page: "", pageTest: "" };
  beforeAll(async () => {
    keys.session = (await app.signUp()).session;
    keys.secret = (await create({})).key;
    keys.secretTest = (await create({ mode: "test" })).key;
    keys.page = (await create({ origins: [shop, local] })).key;
    keys.pageTest = (await create({ origins: [shop], mode: "test" })).key;
  });

  async function create(restrictions: object, owner = keys.session) {
    const { body, status } = await app.rest("POST", "/api-keys", {
      session: owner,
      body: { name: "a key", ...restrictions },
    });
    expect(status, JSON.stringify(body)).toBe(201);
    return body;
  }

  let recipients = 0;
  const lastRecipient = () => `page-${recipients}@example.com`;
  async function start(key: string, fields: object = {}): Promise<string> {
    recipients += 1;
    const body = { channel: "email", recipient: lastRecipient(), ...fields };
    const answer = await app.rest("POST", "/verify/start", { key, body });
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    return answer.body.verification_id;
  }

  /** The code of the newest verification. */
  const codeSent = async (): Promise<string> => (await app.messageTo(lastRecipient())).code ?? "";

  /** The headers of a page's call, from an address of its own, so that tests do not use up each other's limit. */
  let sources = 0;
  function from(origin: string | undefined): Readonly<Record<string, string>> {
    sources += 1;
    const address = `203.0.${Math.floor(sources / 250)}.${sources % 250}`;
    return { "X-Forwarded-For": address, ...(origin === undefined ? {} : { Origin: origin }) };
  }

  return { app, keys, create, start, codeSent, from };
}
