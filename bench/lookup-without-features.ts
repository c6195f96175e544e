/**
 * The lookup behind Byond's port and transcoder alone: no authentication, quota, validation, headers or log. What `npm run bench -- features`
 * compares with.
 */
import { createGateway } from "@byond/rest/gateway";
import { restJson } from "@byond/rest/json/json-style";
import { createContextValues } from "@connectrpc/connect";
import { LookupService } from "../gen/byond/v1/lookup_pb.ts";
import { callerKey, type KeyCaller } from "../src/access/caller.ts";
import { BatchTurns } from "../src/capabilities/lookup/batch/batch-turns.ts";
import { lookupService } from "../src/capabilities/lookup/lookup.rpc.ts";
import { PlanTables } from "../src/capabilities/lookup/plan-tables.ts";
import { systemClock } from "../src/clock.ts";
import { createKeyring } from "../src/crypto/keyring.ts";
import { Quota } from "../src/quota/quota.ts";
import { bindService } from "../src/rpc/router.ts";
import { StreamPlaces } from "../src/rpc/stream-places.ts";
import { openOnePort } from "../src/server/one-port.ts";
import { ServerRequest } from "../src/server/server-request.ts";
import { writeResponse } from "../src/server/write-response.ts";

const unused = () => Promise.reject(new Error("single calls ask for none of it"));

/** Single calls ask for none of it. */
const service = lookupService({
  database: { run: unused },
  keyring: createKeyring(["a master secret that seals nothing here"]),
  numberIndex: () => "",
  history: { note: () => undefined },
  quota: new Quota({ reserve: unused }, systemClock),
  clock: systemClock,
  turns: new BatchTurns(),
  tables: new PlanTables(),
  liveSource: undefined,
  charges: undefined,
  usage: { note: () => undefined },
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

const caller: KeyCaller = {
  kind: "key",
  workspaceId: "ws_1",
  workspaceName: "Acme",
  tier: "unlimited",
  keyId: "key_1",
  keyPrefix: "pk_test_0123456789ab",
  mode: "test",
  scopes: null,
  ipAllowlists: [],
  origins: null,
  requestsPerMinute: null,
  isVerified: true,
  lookupHistory: false,
  requiredSignature: null,
  revision: 0,
};

const port = await openOnePort({
  host: "127.0.0.1",
  port: 0,
  async onRequest(request, response) {
    const received = new ServerRequest(request, response, createContextValues().set(callerKey, caller));
    await writeResponse(await gateway.handle(received), response, {});
  },
  onMalformed: (response) => response.destroy(),
  malformedContent: () => ({ headers: {}, body: "" }),
  onError: (error) => console.error(error),
});
console.log(`listening on ${port.url}`);
