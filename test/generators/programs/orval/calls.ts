import { checkVerification, listApiKeys, lookupNumber, startVerification } from "./client/byond.js";

const { BYONDAPI_KEY = "", JWT = "", RECIPIENT = "" } = process.env;
const withKey = { headers: { "X-API-Key": BYONDAPI_KEY } };

const started = await startVerification(
  { channel: "email", recipient: RECIPIENT, brand: "Acme", code_length: 6 },
  withKey,
);
if (started.status !== 201) {
  throw new Error(started.data.error.message);
}
console.log("started", started.data.status);

const checked = await checkVerification({ verification_id: started.data.verification_id, code: "000000" }, withKey);
console.log("checked", checked.status === 200 && checked.data.status);

const number = await lookupNumber({ number: "+6591234567", country: "SG" }, withKey);
if (number.status === 200) {
  console.log("lookup", number.data.number_e164, number.data.country_code, number.data.line_type);
}

const listed = await listApiKeys(undefined, { headers: { Authorization: `Bearer ${JWT}` } });
console.log("keys", listed.status === 200 && listed.data.keys.map(({ name }) => name).join());

const invalid = await startVerification({ channel: "email", recipient: "nobody" }, withKey);
if (invalid.status === 422) {
  const { code, fields = {} } = invalid.data.error;
  console.log("invalid", invalid.status, code, Object.keys(fields).join());
}

for (let attempt = 0; attempt < 5; attempt += 1) {
  const limited = await startVerification({ channel: "email", recipient: RECIPIENT }, withKey);
  if (limited.status === 429) {
    console.log("limited", limited.status, limited.data.error.code, limited.data.error.retry_after);
    break;
  }
}

const unauthorized = await startVerification(
  { channel: "email", recipient: RECIPIENT },
  { headers: { "X-API-Key": "pk_test_wrong" } },
);
if (unauthorized.status === 401) {
  console.log("unauthorized", unauthorized.status, unauthorized.data.error.code);
}
