import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

const { BYOND_URL = "", BYONDAPI_KEY = "", JWT = "", RECIPIENT = "" } = process.env;
const baseUrl = `${BYOND_URL}/api/v1`;
const withKey = (key: string) => createClient<paths>({ baseUrl, headers: { "X-API-Key": key } });
const client = withKey(BYONDAPI_KEY);
const sessionClient = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${JWT}` } });

const started = await client.POST("/verify/start", {
  body: { channel: "email", recipient: RECIPIENT, brand: "Acme", code_length: 6 },
});
if (started.data === undefined) {
  throw new Error(started.error.error.message);
}
console.log("started", started.data.status);

const checked = await client.POST("/verify/check", {
  body: { verification_id: started.data.verification_id, code: "000000" },
});
console.log("checked", checked.data?.status);

const { data: number } = await client.GET("/lookup", { params: { query: { number: "+6591234567", country: "SG" } } });
console.log("lookup", number?.number_e164, number?.country_code, number?.line_type);

const listed = await sessionClient.GET("/api-keys");
console.log("keys", listed.data?.keys.map(({ name }) => name).join());

const invalid = await client.POST("/verify/start", { body: { channel: "email", recipient: "nobody" } });
console.log(
  "invalid",
  invalid.response.status,
  invalid.error?.error.code,
  Object.keys(invalid.error?.error.fields ?? {}).join(),
);

for (let attempt = 0; attempt < 5; attempt += 1) {
  const { error, response } = await client.POST("/verify/start", { body: { channel: "email", recipient: RECIPIENT } });
  if (error !== undefined) {
    console.log("limited", response.status, error.error.code, error.error.retry_after);
    break;
  }
}

const unauthorized = await withKey("pk_test_wrong").POST("/verify/start", {
  body: { channel: "email", recipient: RECIPIENT },
});
console.log("unauthorized", unauthorized.response.status, unauthorized.error?.error.code);
