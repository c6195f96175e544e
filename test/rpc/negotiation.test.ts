/** What an RPC path says to a client that does not speak its protocols. */
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ErrorInfoSchema } from "../../gen/byond/v1/error_pb.ts";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { connectHttp2, readAnswer } from "../server/port-fixture.ts";
import { startTestApp, type TestApp } from "../support/app.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ grpcReflection: "off" });
});
afterAll(() => app[Symbol.asyncDispose]());

const lookUp = "/byond.v1.LookupService/LookupNumber";
const start = "/byond.v1.VerifyService/StartVerification";
const watch = "/grpc.health.v1.Health/Watch";

test.each([
  ["PUT", lookUp, "GET, POST"],
  ["HEAD", lookUp, "GET, POST"],
  ["OPTIONS", lookUp, "GET, POST"],
  ["GET", start, "POST"],
  ["DELETE", start, "POST"],
  ["GET", watch, "POST"],
])("%s %s gets 405, with the methods that are allowed", async (method, path, allow) => {
  const answer = await fetch(`${app.url}${path}`, { method });
  expect([answer.status, answer.headers.get("allow")]).toEqual([405, allow]);
});

const grpcTypes = [
  "application/grpc, application/grpc+json, application/grpc+proto",
  "application/grpc-web, application/grpc-web+json, application/grpc-web+proto",
].join(", ");

test.each([
  [lookUp, "text/plain", `application/json, application/proto, ${grpcTypes}`],
  [start, "application/x-www-form-urlencoded", `application/json, application/proto, ${grpcTypes}`],
  [start, "application/connect+json", `application/json, application/proto, ${grpcTypes}`],
  [watch, "application/json", `application/connect+json, application/connect+proto, ${grpcTypes}`],
])("%s gets 415 for %s, with the media types that it takes", async (path, type, acceptPost) => {
  const headers = { "Content-Type": type };
  const answer = await fetch(`${app.url}${path}`, { method: "POST", headers, body: "x" });
  expect([answer.status, answer.headers.get("accept-post")]).toEqual([415, acceptPost]);
});

describe("a call over gRPC to what is no RPC is UNIMPLEMENTED", () => {
  const paths = ["/byond.v1.VerifyService/Nothing", "/nobody.v1.Service/Method", "/", "/api/v1/nothing"];

  test.each([
    "application/grpc-web",
    "application/grpc-web+proto",
    "application/grpc-web-text",
    "Application/gRPC-Web",
  ])("to a client that sends %s", async (type) => {
    for (const path of paths) {
      const headers = { "Content-Type": type };
      const answer = await fetch(`${app.url}${path}`, { method: "POST", headers, body: Buffer.alloc(5) });
      expect(answer.status).toBe(200);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        "content-type": type,
        "grpc-status": "12",
        "grpc-message": "There%20is%20no%20such%20RPC.",
        "x-request-id": expect.stringMatching(/^req_/),
      });
    }
  });

  test.each(["application/grpc", "application/grpc+proto", "Application/gRPC"])(
    "to a client that sends %s",
    async (type) => {
      for (const path of paths) {
        const session = connectHttp2(app.url);
        const stream = session.request({ ":method": "POST", ":path": path, "content-type": type });
        let trailers: Record<string, unknown> = {};
        stream.on("trailers", (received) => {
          trailers = received;
        });
        stream.end(Buffer.alloc(5));
        expect(await readAnswer(stream)).toMatchObject({ status: 200, body: "" });
        expect(trailers).toMatchObject({ "grpc-status": "12", "grpc-message": "There%20is%20no%20such%20RPC." });
        session.destroy();
      }
    },
  );

  test.each([
    ["gRPC", createGrpcTransport],
    ["gRPC-Web", (options: { baseUrl: string }) => createGrpcWebTransport({ ...options, httpVersion: "2" })],
  ] as const)("to a real client of %s, with the request's id in the error", async (_name, createTransport) => {
    const client = createClient(ServerReflection, createTransport({ baseUrl: app.url }));
    const error = await client
      .serverReflectionInfo((async function* () {})())
      [Symbol.asyncIterator]()
      .next()
      .catch(ConnectError.from);
    expect(error).toMatchObject({ code: Code.Unimplemented });
    expect(error instanceof ConnectError && error.findDetails(ErrorInfoSchema)).toMatchObject([{ code: "not_found" }]);
  });

  test("and to none that speaks something else, or that calls REST", async () => {
    for (const type of ["application/json", "application/grpcx", "application/proto"]) {
      const headers = { "Content-Type": type };
      const answer = await fetch(`${app.url}/byond.v1.VerifyService/Nothing`, { method: "POST", headers, body: "{}" });
      expect(answer.status).toBe(404);
    }
    const headers = { "Content-Type": "application/grpc" };
    const path = `${app.url}/api/v1/verify/start`;
    expect((await fetch(path, { method: "PUT", headers, body: Buffer.alloc(5) })).status).toBe(405);
    expect((await fetch(path, { method: "POST", headers, body: Buffer.alloc(5) })).status).toBe(401);
  });
});
