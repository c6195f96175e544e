/** `byond top --once`, on a server in this process. */
import { PassThrough, Readable } from "node:stream";
import { expect, test } from "vitest";
import { parseConfig, standardCapabilities } from "../../src/app.ts";
import { commandContext, commandsOf } from "../../src/process/operator-commands.ts";
import { useTestApp } from "../support/app.ts";
import { captureLog } from "../support/log-capture.ts";

const token = "the token of the tests";
const app = useTestApp({ metricsToken: token });

async function top(options: Record<string, string>, environment: Record<string, string> = { METRICS_TOKEN: token }) {
  const capabilities = standardCapabilities();
  let written = "";
  const terminal = {
    logger: captureLog().logger,
    options: { once: "", ...options },
    input: Readable.from([]),
    environment: {},
    write: (text: string) => {
      written += text;
    },
    output: new PassThrough(),
    terminal: new PassThrough(),
  };
  const config = parseConfig({ DATA_DIR: "/nowhere", ...environment });
  await commandsOf(capabilities)
    .get("top")
    ?.run(commandContext(config, capabilities, terminal));
  return written;
}

test("shows the calls of the server, and of each that is named", async () => {
  await app.rest("GET", "/lookup?number=%2B14155550123");
  expect(await top({ url: app.url })).toMatch(/^ *\d+\.\d +1 {2}\S*.*lookup\S* +401 +\d+\.\d ms$/m);
  const two = await top({ url: `${app.url},http://127.0.0.1:9` });
  expect(two).toContain("1 of 2 servers\nhttp://127.0.0.1:9 cannot be read: connect ECONNREFUSED 127.0.0.1:9\n");
});

test("says why it shows nothing", async () => {
  await expect(top({ url: app.url }, { METRICS_TOKEN: "another" })).rejects.toThrow(
    `${app.url} cannot be read: it shows no metrics (404): METRICS_TOKEN is not the server's.`,
  );
  await expect(top({ url: app.url }, {})).rejects.toThrow(
    "it shows no metrics (404): set METRICS_TOKEN, for the server and here.",
  );
  await expect(top({}, { PORT: "9" })).rejects.toThrow(
    "http://127.0.0.1:9 cannot be read: connect ECONNREFUSED 127.0.0.1:9.",
  );
  await expect(top({ url: "localhost" })).rejects.toThrow("--url must be URLs");
  await expect(top({}, { PORT: "0" })).rejects.toThrow("PORT is 0: name the server with --url.");
});
