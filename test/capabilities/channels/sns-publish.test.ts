import { expect, test } from "vitest";
import { signPublish } from "../../../src/capabilities/channels/sns/sns-publish.ts";
import { fixedNow } from "./messages.ts";
import { authorizationOf, sigv4Signature } from "./sigv4-signature.ts";

const account = {
  endpoint: "https://sns.eu-west-1.amazonaws.com/",
  region: "eu-west-1",
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};
const message = { recipient: "+6591234567", text: "493817 is your Acme & Söhne code.", sender: undefined };

async function publish(change: object = {}, accountChange: object = {}) {
  const { url, headers, body } = await signPublish(
    { ...account, ...accountChange },
    { ...message, ...change },
    fixedNow,
  );
  return { url, headers: { ...headers, host: new URL(url).host }, body, path: new URL(url).pathname };
}

test("the check of signatures agrees with AWS's own example", () => {
  const headers = {
    authorization:
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20110909/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=ced6826de92d2bdeed8f846f0bf508e8559e98e4b0199114b84c54174deb456c",
    host: "iam.amazonaws.com",
    "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    "x-amz-date": "20110909T233600Z",
  };
  const request = { path: "/", headers, body: "Action=ListUsers&Version=2010-05-08" };
  expect(sigv4Signature(request, account.secretAccessKey)).toBe(authorizationOf(headers).signature);
});

test("a message is published in the documented form, as transactional", async () => {
  const { body } = await publish();
  expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
    Action: "Publish",
    Version: "2010-03-31",
    PhoneNumber: "+6591234567",
    Message: "493817 is your Acme & Söhne code.",
    "MessageAttributes.entry.1.Name": "AWS.SNS.SMS.SMSType",
    "MessageAttributes.entry.1.Value.DataType": "String",
    "MessageAttributes.entry.1.Value.StringValue": "Transactional",
  });
});

test.each([
  ["+12065550100", "AWS.MM.SMS.OriginationNumber"],
  ["ACME", "AWS.SNS.SMS.SenderID"],
])("the sender %s is the attribute %s", async (sender, name) => {
  expect(Object.fromEntries(new URLSearchParams((await publish({ sender })).body))).toMatchObject({
    "MessageAttributes.entry.2.Name": name,
    "MessageAttributes.entry.2.Value.StringValue": sender,
  });
});

test("the request has AWS's signature, of its date, region and service, and of a session's token", async () => {
  const request = await publish();
  expect(authorizationOf(request.headers)).toEqual({
    accessKeyId: "AKIDEXAMPLE",
    scope: "20260301/eu-west-1/sns/aws4_request",
    signedHeaders: "host;x-amz-date",
    signature: sigv4Signature(request, account.secretAccessKey),
  });
  expect(request.headers).toMatchObject({
    "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    "x-amz-date": "20260301T120000Z",
  });
  const withToken = await publish({}, { sessionToken: "a token" });
  expect(withToken.headers).toMatchObject({ "x-amz-security-token": "a token" });
  expect(authorizationOf(withToken.headers).signature).toBe(sigv4Signature(withToken, account.secretAccessKey));
});
