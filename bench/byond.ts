import { join } from "node:path";
import packageFile from "../package.json" with { type: "json" };
import { verifyEmailOf } from "../test/support/verified-email.ts";
import { root, Server } from "./processes.ts";

/** A limit that is counted and never reached. */
const perMinute = 1_000_000;

/** What `npm start` runs, with paths that lead there from every folder. */
const startScript = (main: string) =>
  packageFile.scripts.start
    .replaceAll("src/main.ts", main)
    .replaceAll("node_modules/.cache", join(root, "node_modules/.cache"));

/** Byond as `npm start` runs it, on a database. Every feature is on: keys have a limit, and so have the sends of a source. `main` can be that of another checkout. */
export function startByond(
  databaseUrl: string,
  environment: Readonly<Record<string, string>> = {},
  main = join(root, "src/main.ts"),
): Promise<Server> {
  return Server.start({
    command: ["/bin/sh", "-c", startScript(main)],
    environment: {
      // As npm does: the Node of the lockfile.
      PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH}`,
      PORT: "0",
      DATABASE_URL: databaseUrl,
      BYOND_SECRET: "a secret of the bench that is long enough",
      SIGN_UP: "open",
      SIGN_UP_LIMIT: "1000000",
      DEFAULT_TIER: "unlimited",
      SOURCE_SEND_LIMIT: String(perMinute),
      ...environment,
    },
  });
}

let accounts = 0;

/** A key of a new account, whose address counts as verified. */
export async function mintKey(
  url: string,
  databaseUrl: string,
  mode: "live" | "test" = "live",
  scopes?: readonly string[],
): Promise<string> {
  accounts += 1;
  const account = { email: `owner-${accounts}@example.com`, password: "correct horse battery", name: "Bench" };
  const signedUp = await post(`${url}/api/v1/auth/sign-up`, {}, account);
  await verifyEmailOf(databaseUrl, signedUp.workspace_id);
  const headers = { Authorization: `Bearer ${signedUp.access_token}` };
  const key = { name: "bench", mode, requests_per_minute: perMinute, ...(scopes === undefined ? {} : { scopes }) };
  return (await post(`${url}/api/v1/api-keys`, headers, key)).key;
}

async function post(url: string, headers: Readonly<Record<string, string>>, body: unknown) {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (answer.status !== 201) {
    throw new Error(`${url} answered ${answer.status}: ${text}`);
  }
  return JSON.parse(text);
}
