/**
 * The lookup behind Byond's port and transcoder alone: no authentication, quota, validation, headers or log. What `npm run bench -- features`
 * compares with.
 */
import { createGateway } from "@byond/rest/gateway";
import { restJson } from "@byond/rest/json/json-style";
import { createContextValues } from "@connectrpc/connect";
import { LookupService } from "../gen/byond/v1/lookup_pb.ts";
import { BatchTurns } from "../src/capabilities/lookup/batch/batch-turns.ts";
import { lookupService } from "../src/capabilities/lookup/lookup.rpc.ts";
import { PlanTables } from "../src/capabilities/lookup/plan-tables.ts";
import { systemClock } from "../src/clock.ts";
import { Quota } from "../src/quota/quota.ts";
import { bindService } from "../src/rpc/router.ts";
import { StreamPlaces } from "../src/rpc/stream-places.ts";
import { openOnePort } from "../src/server/one-port.ts";
import { ServerRequest } from "../src/server/server-request.ts";
import { writeResponse } from "../src/server/write-response.ts";

/** Single calls ask for none of it. */
const service = lookupService({
  quota: new Quota({ reserve: () => Promise.reject(new Error("nothing is counted")) }, systemClock),
  clock: systemClock,
  turns: new BatchTurns(),
  tables: new PlanTables(),
  liveSource: undefined,
  places: new StreamPlaces("lookup streams", 1),
});
const { spec } = bindService(LookupService, service);
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
