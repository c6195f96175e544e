/** Zodios checks each body that is sent and each response with the generated schemas, and throws if one does not fit. */
import { isErrorFromAlias } from "@zodios/core";
import { api, createApiClient, schemas } from "./client.js";

const { BYOND_URL = "", BYONDAPI_KEY = "", JWT = "", RECIPIENT = "" } = process.env;
const connect = (headers: Record<string, string>) =>
  createApiClient(`${BYOND_URL}/api/v1`, { axiosConfig: { headers } });
const client = connect({ "X-API-Key": BYONDAPI_KEY });

const started = await client.startVerification({
  channel: "email",
  recipient: RECIPIENT,
  brand: "Acme",
  code_length: 6,
});
console.log("started", started.status);

const checked = await client.checkVerification({ verification_id: started.verification_id, code: "000000" });
console.log("checked", checked.status);

const number = await client.lookupNumber({ queries: { number: "+6591234567", country: "SG" } });
console.log("lookup", number.number_e164, number.country_code, number.line_type);

const listed = await connect({ Authorization: `Bearer ${JWT}` }).listApiKeys();
console.log("keys", listed.keys.map(({ name }) => name).join());

/** The error of a start that is refused, as the schema of its status parses it. */
async function refusal(by: typeof client, recipient: string) {
  try {
    await by.startVerification({ channel: "email", recipient });
    return undefined;
  } catch (thrown) {
    if (!isErrorFromAlias(api.api, "startVerification", thrown)) {
      throw thrown;
    }
    return { status: thrown.response.status, ...thrown.response.data.error };
  }
}

const invalid = await refusal(client, "nobody");
console.log("invalid", invalid?.status, invalid?.code, Object.keys(invalid?.fields ?? {}).join());

for (let attempt = 0; attempt < 5; attempt += 1) {
  const limited = await refusal(client, RECIPIENT);
  if (limited !== undefined) {
    console.log("limited", limited.status, limited.code, limited.retry_after);
    break;
  }
}

const unauthorized = await refusal(connect({ "X-API-Key": "pk_test_wrong" }), RECIPIENT);
console.log("unauthorized", unauthorized?.status, unauthorized?.code);

// The tool's own fault. When it is gone, take it off the table and out of the guide.
const withDomain = { channel: "email", recipient: RECIPIENT, autofill_domain: "example.com" };
if (schemas.StartVerificationRequest.safeParse(withDomain).success) {
  throw new Error("the schema takes a hostname now");
}
