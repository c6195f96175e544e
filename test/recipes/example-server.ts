import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { MainProcess } from "../system/main-process.ts";

/** What the example sets, with addresses of this machine. */
export const exampleSettings = async (port: number): Promise<Readonly<Record<string, string>>> => {
  const text = await readFile(join(import.meta.dirname, "../../deploy/systemd/byond.env"), "utf8");
  const settings = parseEnv(text);
  const here = {
    HOST: "127.0.0.1",
    PORT: String(port),
    TRUSTED_PROXIES: "127.0.0.1/32",
    PUBLIC_URL: "https://localhost",
  };
  for (const name of Object.keys(here)) {
    if (settings[name] === undefined) {
      throw new Error(`the example does not set ${name}`);
    }
  }
  return { ...settings, ...here };
};

export const secret = "a secret of the tests that is long enough";

/** Starts a server as the example has it, and waits until it serves. */
export async function startExampleServer(port: number, databaseUrl: string): Promise<MainProcess> {
  const server = new MainProcess({
    environment: {
      ...(await exampleSettings(port)),
      DATABASE_URL: databaseUrl,
      BYOND_SECRET: secret,
      SIGN_UP: "open",
      DEFAULT_TIER: "unlimited",
      LOG_PROBES: "off",
    },
  });
  await server.wrote(/"event":"started"/);
  return server;
}
