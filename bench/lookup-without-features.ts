/**
 * The lookup behind Byond's port and transcoder alone: no authentication, quota, validation, headers or log. What `npm run bench -- features`
 * compares with.
 */
import { createGateway } from "@byond/rest/gateway";
import { restJson } from "@byond/rest/json/json-style";
import { createContextValues } from "@connectrpc/connect";
import { LookupService } from "../gen/byond/v1/lookup_pb.ts";
import { lookupService } from "../src/capabilities/lookup/lookup.rpc.ts";
import { PlanTables } from "../src/capabilities/lookup/plan-tables.ts";
import { bindService } from "../src/rpc/router.ts";
import { openOnePort } from "../src/server/one-port.ts";
import { ServerRequest } from "../src/server/server-request.ts";
import { writeResponse } from "../src/server/write-response.ts";

const { spec } = bindService(LookupService, lookupService({ tables: new PlanTables(), liveSource: undefined }));
const gateway = createGateway({
  services: [spec],
  interceptors: [],
  json: restJson,
  errorResponse: (error) => {
    throw error;
  },
});

const port = await openOnePort({
  host: "127.0.0.1",
  port: 0,
  async onRequest(request, response) {
    const received = new ServerRequest(request, response, createContextValues());
    await writeResponse(await gateway.handle(received), response, {});
  },
  onMalformed: (response) => response.destroy(),
  malformedContent: () => ({ headers: {}, body: "" }),
  onError: (error) => console.error(error),
});
console.log(`listening on ${port.url}`);
