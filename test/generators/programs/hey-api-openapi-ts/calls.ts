import { createClient, createConfig } from "./client/client/index.js";
import { checkVerification, listApiKeys, lookupNumber, startVerification } from "./client/index.js";

const { BYOND_URL = "", BYONDAPI_KEY = "", JWT = "", RECIPIENT = "" } = process.env;
// `auth` is asked for the credential that an operation takes, and puts it where the document says.
const connect = (credential: string) =>
  createClient(createConfig({ baseUrl: `${BYOND_URL}/api/v1`, auth: () => credential }));
const client = connect(BYONDAPI_KEY);

const started = await startVerification({
  client,
  body: { channel: "email", recipient: RECIPIENT, brand: "Acme", code_length: 6 },
});
if (started.data === undefined) {
  throw new Error(started.error.error.message);
}
console.log("started", started.data.status);

const checked = await checkVerification({
  client,
  body: { verification_id: started.data.verification_id, code: "000000" },
});
console.log("checked", checked.data?.status);

const { data: number } = await lookupNumber({ client, query: { number: "+6591234567", country: "SG" } });
console.log("lookup", number?.number_e164, number?.country_code, number?.line_type);

const listed = await listApiKeys({ client: connect(JWT) });
console.log("keys", listed.data?.keys.map(({ name }) => name).join());

const invalid = await startVerification({ client, body: { channel: "email", recipient: "nobody" } });
const problem = invalid.error?.error;
console.log("invalid", invalid.response?.status, problem?.code, Object.keys(problem?.fields ?? {}).join());

for (let attempt = 0; attempt < 5; attempt += 1) {
  const { error, response } = await startVerification({ client, body: { channel: "email", recipient: RECIPIENT } });
  if (error !== undefined) {
    console.log("limited", response?.status, error.error.code, error.error.retry_after);
    break;
  }
}

const unauthorized = await startVerification({
  client: connect("pk_test_wrong"),
  body: { channel: "email", recipient: RECIPIENT },
});
console.log("unauthorized", unauthorized.response?.status, unauthorized.error?.error.code);
