/** The lookup behind a server of `@grpc/grpc-js`: no authentication. */
import { join } from "node:path";
import { loadPackageDefinition, Server, ServerCredentials } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { lookUp } from "./lookup.mjs";

const root = join(import.meta.dirname, "../..");
const definition = loadSync("byond/v1/lookup.proto", {
  includeDirs: [join(root, "proto"), join(root, "third_party")],
  keepCase: true,
  enums: String,
});
const { LookupService } = loadPackageDefinition(definition).byond.v1;

const server = new Server();
server.addService(LookupService.service, {
  LookupNumber(call, callback) {
    const { line_type: lineType, possible_line_types: lineTypes, ...result } = lookUp(call.request.number);
    const enumName = (name) => `LINE_TYPE_${name.toUpperCase()}`;
    callback(null, {
      ...result,
      line_type: enumName(lineType),
      source: "LOOKUP_SOURCE_OFFLINE",
      possible_line_types: lineTypes.map(enumName),
    });
  },
});
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) {
    throw error;
  }
  console.log(`listening on http://127.0.0.1:${port}`);
});
