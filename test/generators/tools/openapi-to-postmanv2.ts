import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Bench } from "../bench.ts";
import type { Tool } from "../tool.ts";
import { nodePackageVersion } from "./node-packages.ts";

const options = "folderStrategy=Tags,parametersResolution=Example,enableOptionalParameters=false";
/** Requests that can be sent as they are imported, in a collection that has a server, a key and a session; with the status of their responses. */
const sendable = { "Start a verification": 201, "Look up a number": 200, "List API keys": 200 };

interface Item {
  readonly name: string;
  /** Of a folder. */
  readonly item?: readonly Item[];
  readonly request?: {
    readonly method: string;
    readonly url: { readonly path: readonly string[] };
    readonly header: readonly { readonly key: string; readonly disabled?: boolean | null }[];
  };
}

/** A collection for Postman. newman sends its requests as Postman does. */
export const openapiToPostman: Tool = {
  name: "openapi-to-postmanv2",
  version: nodePackageVersion("openapi-to-postmanv2", "node-all"),
  needs: ["npm"],
  inCi: false,
  async generate(bench) {
    const programs = await bench.useNodePackages("node-all");
    const files = ["--spec", bench.document, "--output", "collection.json"];
    await bench.run(join(programs, "openapi2postmanv2"), [...files, "--options", options]);
    await assertWhole(bench);
  },
  async call(bench) {
    const { key, session } = await bench.credentials();
    const variables = { baseUrl: `${bench.serverUrl}/api/v1`, apiKey: key, bearerToken: session };
    await bench.run(join(bench.folder, "node_modules/.bin/newman"), [
      ...["run", "collection.json", "--reporters", "json", "--reporter-json-export", "report.json"],
      ...Object.keys(sendable).flatMap((name) => ["--folder", name]),
      ...Object.entries(variables).flatMap(([name, value]) => ["--env-var", `${name}=${value}`]),
    ]);
    const report: Report = JSON.parse(await readFile(join(bench.folder, "report.json"), "utf8"));
    const statuses = report.run.executions.map(({ item, response }) => [item.name, response?.code]);
    if (JSON.stringify(statuses) !== JSON.stringify(Object.entries(sendable))) {
      throw new Error(`the requests were answered ${JSON.stringify(statuses)}`);
    }
  },
};

/** newman's report, as far as it is read. */
interface Report {
  readonly run: {
    readonly executions: readonly {
      readonly item: { readonly name: string };
      readonly response?: { readonly code: number };
    }[];
  };
}

/** Throws unless every operation of the document is a request, and none sends a made-up `Idempotency-Key`, which would replay another's response. */
async function assertWhole(bench: Bench): Promise<void> {
  const { paths }: { readonly paths: Readonly<Record<string, object>> } = JSON.parse(
    await readFile(bench.document, "utf8"),
  );
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`),
  );
  const collection: { readonly item: readonly Item[] } = JSON.parse(
    await readFile(join(bench.folder, "collection.json"), "utf8"),
  );
  const requests = collection.item.flatMap(requestsOf);
  const converted = new Set(requests.map(({ method, url }) => `${method} /${url.path.join("/")}`));
  const missing = operations.filter((operation) => !converted.has(operation));
  if (missing.length > 0 || operations.length !== requests.length) {
    throw new Error(`${requests.length} requests for ${operations.length} operations; missing: ${missing.join(", ")}`);
  }
  const keyed = requests.filter(({ header }) =>
    header.some(({ key, disabled }) => key === "Idempotency-Key" && disabled !== true),
  );
  if (keyed.length > 0) {
    throw new Error(`${keyed.length} requests would send an Idempotency-Key that nobody chose`);
  }
}

function requestsOf({ item = [], request }: Item): NonNullable<Item["request"]>[] {
  return request === undefined ? item.flatMap(requestsOf) : [request];
}
