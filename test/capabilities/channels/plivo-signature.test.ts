import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { plivoSignatureVersion } from "../../../src/capabilities/channels/plivo/plivo-signature.ts";

const authToken = "MAXXXXXXXXXXXXXXXXXXXXXXXXXXXX";
const nonce = "05429567804466091622";

function versionOf(url: string, fields: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>>) {
  const request = { url: new URL(url), form: new URLSearchParams(fields), header: (name: string) => headers[name] };
  return plivoSignatureVersion(request, authToken);
}

/** The signatures are those that Plivo's own SDK for Node accepts (`validateV3Signature`, plivo 4). */
describe("version 3", () => {
  const report = { MessageUUID: "a", Status: "delivered", To: "+6591234567" };
  const hangup = { CallUUID: "x y", CallStatus: "completed", Zed: "ä&=" };
  const url = "https://byond.example.com/webhooks/providers/plivo";
  test.each([
    ["fields without a query", url, report, "PkSdH1rXsoet5JrbswzFAmoHM91gaASlhCQracxAWK4="],
    ["fields and a query", `${url}?say=abc.def-_&b=2`, hangup, "iQj+jfA60+vQ6YEn/Hpm3e5xiQ3ghaJ07vAsRi4ufuA="],
    [
      "a query without fields, and a port",
      "https://byond.example.com:8443/webhooks/providers/plivo?say=abc",
      {},
      "qccfhuaK59h7P+bzoUaM3cSzJ+FWvpi72+CyXDUrGMU=",
    ],
    ["neither", url, {}, "C4bTa8XOpmO3Ai7iT+T0JOvb0sf7OK3xv8fjQgEzlo0="],
  ])("covers %s", (_, signedUrl, fields: Readonly<Record<string, string>>, signature) => {
    const headers = { "x-plivo-signature-v3": signature, "x-plivo-signature-v3-nonce": nonce };
    expect(versionOf(signedUrl, fields, headers)).toBe("v3");
    expect(versionOf(signedUrl, { ...fields, Status: "failed" }, headers)).toBeUndefined();
    expect(versionOf(`${signedUrl}${signedUrl.includes("?") ? "&" : "?"}more=1`, fields, headers)).toBeUndefined();
    expect(versionOf(signedUrl, fields, { ...headers, "x-plivo-signature-v3-nonce": "1" })).toBeUndefined();
  });

  test("is accepted of the main account, and among several", () => {
    const headers = {
      "x-plivo-signature-v3": "of a subaccount",
      "x-plivo-signature-ma-v3": "of an older token, PkSdH1rXsoet5JrbswzFAmoHM91gaASlhCQracxAWK4=",
      "x-plivo-signature-v3-nonce": nonce,
    };
    expect(versionOf(url, report, headers)).toBe("v3");
  });

  test("decides alone where it is given", () => {
    const v2 = createHmac("sha256", authToken).update(`${url}${nonce}`).digest("base64");
    const headers = { "x-plivo-signature-v2": v2, "x-plivo-signature-v2-nonce": nonce };
    expect(versionOf(`${url}?any=query`, report, headers)).toBe("v2");
    expect(versionOf(url, report, { ...headers, "x-plivo-signature-v3": "forged" })).toBeUndefined();
  });
});

test("nothing is signed without a signature, or with an empty nonce", () => {
  const url = "https://byond.example.com/webhooks/providers/plivo";
  const withoutNonce = createHmac("sha256", authToken).update(url).digest("base64");
  expect(versionOf(url, {}, {})).toBeUndefined();
  expect(versionOf(url, {}, { "x-plivo-signature-v2": withoutNonce })).toBeUndefined();
});
