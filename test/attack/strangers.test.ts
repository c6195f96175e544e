/** What somebody without a credential sends: no request is answered as a fault of the server, makes the metrics grow, or ends in another file. */
import { request as requestHttp } from "node:http";
import { expect, test } from "vitest";
import { useTestApp } from "../support/app.ts";

const app = useTestApp();

interface Sent {
  readonly method: string;
  /** The target as it is: a URL would be tidied up. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
}

function send({ method, path, headers = {}, body }: Sent): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(app.url);
    const request = requestHttp({ hostname, port, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("latin1") }),
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** Values of headers of which the server makes something. */
const hostile: Readonly<Record<string, readonly (string | string[])[]>> = {
  traceparent: [
    "",
    "00",
    "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "00-00000000000000000000000000000000-0000000000000000-01",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-else",
    `00-${"a".repeat(8_000)}`,
    [
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ],
  ],
  tracestate: ["a=b,".repeat(2_000), "=", ",,,"],
  baggage: ["a=b;c,".repeat(1_000)],
  "x-request-id": ["\u001b[2J\u001b]0;owned\u0007".replaceAll(/\p{Cc}/gu, "%1b"), "{}", "a".repeat(8_000)],
  "x-forwarded-for": ["1,".repeat(4_000), "[::1", "unknown", "127.0.0.1, 127.0.0.1"],
  "x-forwarded-proto": ["https,http", "javascript"],
  forwarded: [`for="[::1"`, "for=_hidden;".repeat(500)],
  cookie: ["byond_session=~~~", `${"a=b;".repeat(3_000)}`, "byond_session=a~b; byond_session=c~d"],
  "byond-session": ["cookie", "header"],
  "byond-mode": ["live", "sandbox", "__proto__"],
  "byond-version": ["1999-12-31", "constructor", "2026-06-15, 2026-06-15"],
  "byond-signature": ["t=1,v1=00", `t=${"9".repeat(4_000)},v2=${"f".repeat(64)}`],
  "idempotency-key": ["\u0080\u00ff", "a".repeat(5_000)],
  accept: ["text/csv", "text/event-stream", "*/*;q=2", "application/json;".repeat(500)],
  "accept-encoding": ["br;q=-1", "gzip,".repeat(2_000), "identity;q=0, *;q=0"],
  "content-encoding": ["gzip", "br, br, br", "zstd"],
  "content-type": [
    "application/grpc",
    "application/connect+json",
    "application/json; charset=utf-7",
    "multipart/form-data",
  ],
  "if-none-match": ["*", `"a",`.repeat(2_000)],
  range: ["bytes=0-0", "bytes=-9999999999999999999"],
  "last-event-id": ["start", "evt_none", "\u0080"],
  "request-timeout": ["0", "-1", "99999999999999999999", "1e9"],
  "grpc-timeout": ["99999999H", "0n", "1"],
  "connect-timeout-ms": ["0", "99999999999"],
  "connect-protocol-version": ["2", "x"],
  "sec-fetch-site": ["same-origin", "cross-site"],
  origin: ["null", "https://[", "file://"],
  referer: ["https://[", "javascript:alert(1)"],
};

const calls: readonly Sent[] = [
  { method: "GET", path: "/api/v1/verifications" },
  { method: "GET", path: "/api/v1/events/stream" },
  {
    method: "POST",
    path: "/api/v1/auth/refresh",
    body: `{"refresh_token":"a"}`,
    headers: { "content-type": "application/json" },
  },
  {
    method: "POST",
    path: "/byond.v1.VerifyService/StartVerification",
    body: "{}",
    headers: { "content-type": "application/json" },
  },
  { method: "GET", path: "/console" },
  { method: "GET", path: "/docs" },
  { method: "GET", path: "/openapi.json" },
  { method: "GET", path: "/dev/inbox" },
];

const traversals = ["..%2f", "..%5c", "%2e%2e/", "....//", "..;/", "%252e%252e%252f", "..%c0%af", "\\..\\"].flatMap(
  (step) => ["/console/", "/console/assets/", "/docs/", "/protos/", "/"].map((folder) => folder + step.repeat(4)),
);

test("no header is answered with a fault of the server", async () => {
  for (const [name, values] of Object.entries(hostile)) {
    for (const value of values) {
      const answers = await Promise.all(
        calls.map(async (call) => [
          call.path,
          (await send({ ...call, headers: { ...call.headers, [name]: value } })).status,
        ]),
      );
      const faults = answers.filter(([, status]) => Number(status) >= 500);
      expect(faults, `${name}: ${String(value).slice(0, 80)}`).toEqual([]);
    }
  }
});

test("no path leads to a file beside those that are served", async () => {
  for (const folder of traversals) {
    for (const file of ["package.json", "etc/passwd", ".env", "src/main.ts"]) {
      const { status, text } = await send({ method: "GET", path: folder + file });
      expect(status, folder + file).toBeLessThan(500);
      expect(text, folder + file).not.toMatch(/"devDependencies"|root:|BYOND_SECRET=|import \{/);
    }
  }
});

const series = async () =>
  (await (await fetch(`${app.url}/metrics`)).text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));

test("whatever strangers name, the metrics have no more series for it", async () => {
  const random = (index: number) => Math.floor(index * 7_919 + 104_729).toString(36);
  const strange = (index: number): readonly Sent[] => [
    { method: "GET", path: `/api/v1/${random(index)}` },
    { method: "GET", path: `/${random(index)}/%ff` },
    { method: `X${random(index).toUpperCase()}`, path: "/api/v1/verifications" },
    { method: "GET", path: `/api/v1/verify/vrf_${random(index)}` },
    { method: "POST", path: `/byond.v1.${random(index)}/Call`, headers: { "content-type": "application/grpc" } },
    { method: "POST", path: `/webhooks/sms/${random(index)}` },
    { method: "GET", path: "/docs", headers: { host: `${random(index)}.example` } },
    { method: "GET", path: "/api/v1/lookup", headers: { "x-api-key": `pk_live_${random(index)}` } },
    { method: "GET", path: "/api/v1/lookup", headers: { "byond-version": random(index) } },
    {
      method: "OPTIONS",
      path: "/api/v1/verify/check",
      headers: { origin: `https://${random(index)}.example`, "access-control-request-method": "POST" },
    },
  ];
  for (const sent of strange(0)) {
    await send(sent);
  }
  const before = await series();
  for (let index = 1; index <= 30; index += 1) {
    await Promise.all(strange(index).map(send));
  }
  const known = new Set(before.map((line) => line.slice(0, line.lastIndexOf(" "))));
  const added = (await series()).map((line) => line.slice(0, line.lastIndexOf(" "))).filter((name) => !known.has(name));
  // The statements of the server, and the reading of the metrics, are its own.
  expect(added.filter((name) => !/statement="|"\/metrics"/.test(name))).toEqual([]);
});
