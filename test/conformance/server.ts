/**
 * The program that Connect's conformance suite tests: reads a `ServerCompatRequest` from standard input, and writes a
 * `ServerCompatResponse` when the port is open.
 */
import { buffer } from "node:stream/consumers";
import { createRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import { createServiceImplSpec } from "@connectrpc/connect";
import { conformanceService } from "./conformance-service.ts";
import {
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from "./gen/connectrpc/conformance/v1/server_compat_pb.ts";
import {
  ConformanceService,
  file_connectrpc_conformance_v1_service,
} from "./gen/connectrpc/conformance/v1/service_pb.ts";
import { openServerUnderTest } from "./server-under-test.ts";

/** Messages on the suite's pipes begin with their size, four bytes. */
const sizeBytes = 4;
const request = fromBinary(ServerCompatRequestSchema, (await buffer(process.stdin)).subarray(sizeBytes));
const { serverCreds } = request;
const tls =
  request.useTls && serverCreds !== undefined
    ? { cert: Buffer.from(serverCreds.cert), key: Buffer.from(serverCreds.key) }
    : undefined;
const port = await openServerUnderTest({
  binding: {
    service: ConformanceService,
    spec: createServiceImplSpec(ConformanceService, conformanceService),
    register: (router) => router.service(ConformanceService, conformanceService),
  },
  registry: createRegistry(file_connectrpc_conformance_v1_service),
  ...(tls === undefined ? {} : { tls }),
});

const response = toBinary(ServerCompatResponseSchema, {
  $typeName: "connectrpc.conformance.v1.ServerCompatResponse",
  host: port.address.host,
  port: port.address.port,
  pemCert: tls?.cert ?? new Uint8Array(),
});
const size = Buffer.alloc(sizeBytes);
size.writeUInt32BE(response.length);
process.stdout.write(Buffer.concat([size, response]));

process.once("SIGTERM", async () => {
  await port.close(1_000);
  process.exit();
});
