import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ErrorMeaning } from "../../../src/capabilities/channels/error-meaning.ts";
import { snsKind } from "../../../src/capabilities/channels/sns/sns.ts";
import { expectedResult } from "./expected-result.ts";
import { HttpFake } from "./http-fake.ts";
import { providerUnderTest } from "./provider-under-test.ts";
import { authorizationOf, sigv4Signature } from "./sigv4-signature.ts";

const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const credentials = `AKIDEXAMPLE:${encodeURIComponent(secret)}`;

let sns: HttpFake;
beforeAll(async () => {
  sns = await HttpFake.open();
});
afterAll(async () => {
  await sns.close();
});
beforeEach(() => {
  sns.requests.splice(0);
});

const provider = () =>
  providerUnderTest({
    kind: snsKind,
    dsn: `sns://${credentials}@?region=eu-west-1&from=ACME&api_url=${encodeURIComponent(sns.url)}`,
  });

/** The documented answers of the query protocol. */
const published = `<PublishResponse xmlns="sns.amazonaws.com/doc/2010-03-31/">
  <PublishResult><MessageId>567910cd-659e-55d4-8ccb-5aaf14679dc0</MessageId></PublishResult>
  <ResponseMetadata><RequestId>d74b8436-ae13-5ab4-a9ff-ce54dfea72a0</RequestId></ResponseMetadata>
</PublishResponse>`;
const refused = (
  code: string,
  type: "Sender" | "Receiver",
) => `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
  <Error><Type>${type}</Type><Code>${code}</Code><Message>Nothing for +6591234567: 493817</Message></Error>
  <RequestId>a7d2e4c1-0000-5555-8888-1234567890ab</RequestId>
</ErrorResponse>`;

test("a text message is published with AWS's signature, and accepted is final", async () => {
  sns.answer = { status: 200, body: published };
  expect(await provider().send()).toEqual({
    kind: "sent",
    providerMessageId: "567910cd-659e-55d4-8ccb-5aaf14679dc0",
    segments: 1,
  });
  const [request] = sns.requests;
  expect(request?.path).toBe("/");
  expect(request && authorizationOf(request.headers).signature).toBe(request && sigv4Signature(request, secret));
  expect(Object.fromEntries(new URLSearchParams(request?.body))).toMatchObject({
    Action: "Publish",
    PhoneNumber: "+6591234567",
    Message: "493817 is your Acme verification code. It expires in 5 minutes. Do not share it.",
    "MessageAttributes.entry.2.Name": "AWS.SNS.SMS.SenderID",
    "MessageAttributes.entry.2.Value.StringValue": "ACME",
  });
  expect(provider().provider.callback).toBeUndefined();
});

type Documented = readonly [code: string, status: number, effect: ErrorMeaning["effect"], afterMs?: number];

/** "Publish: Errors", and those that the service's model has for other actions with numbers. */
const errorsOfPublish: readonly Documented[] = [
  ["AuthorizationError", 403, "retry-provider"],
  ["EndpointDisabled", 400, "fail-here"],
  ["InternalError", 500, "retry-provider"],
  ["InvalidParameter", 400, "fail-here"],
  ["ParameterValueInvalid", 400, "fail-here"],
  ["InvalidSecurity", 403, "retry-provider"],
  ["KMSAccessDenied", 400, "retry-provider"],
  ["KMSDisabled", 400, "retry-provider"],
  ["KMSInvalidState", 400, "retry-provider"],
  ["KMSNotFound", 400, "retry-provider"],
  ["KMSOptInRequired", 403, "retry-provider"],
  ["KMSThrottling", 400, "retry-provider", 1_000],
  ["NotFound", 404, "fail-here"],
  ["PlatformApplicationDisabled", 400, "fail-here"],
  ["ValidationException", 400, "fail-here"],
  ["OptedOut", 400, "undeliverable"],
  ["Throttled", 429, "retry-provider", 1_000],
  ["UserError", 400, "fail-here"],
];

/** "Common error types", in the spellings of today and of before. */
const commonErrors: readonly Documented[] = [
  ["AccessDenied", 403, "retry-provider"],
  ["AccessDeniedException", 403, "retry-provider"],
  ["ExpiredToken", 403, "retry-provider"],
  ["ExpiredTokenException", 403, "retry-provider"],
  ["IncompleteSignature", 400, "retry-provider"],
  ["InternalFailure", 500, "retry-provider"],
  ["InvalidAction", 400, "fail-here"],
  ["InvalidClientTokenId", 403, "retry-provider"],
  ["InvalidParameterCombination", 400, "fail-here"],
  ["InvalidParameterValue", 400, "fail-here"],
  ["InvalidQueryParameter", 400, "fail-here"],
  ["MalformedHttpRequestException", 400, "fail-here"],
  ["MalformedQueryString", 404, "fail-here"],
  ["MissingAction", 400, "fail-here"],
  ["MissingAuthenticationToken", 403, "retry-provider"],
  ["MissingParameter", 400, "fail-here"],
  ["NotAuthorized", 400, "retry-provider"],
  ["OptInRequired", 403, "retry-provider"],
  ["RequestAbortedException", 400, "retry-provider"],
  ["RequestEntityTooLargeException", 413, "fail-here"],
  ["RequestExpired", 400, "retry-provider"],
  ["RequestTimeoutException", 408, "retry-provider"],
  ["ServiceUnavailable", 503, "retry-provider"],
  ["SignatureDoesNotMatch", 403, "retry-provider"],
  ["Throttling", 400, "retry-provider", 1_000],
  ["ThrottlingException", 400, "retry-provider", 1_000],
  ["UnrecognizedClientException", 403, "retry-provider"],
  ["UnknownOperationException", 404, "fail-here"],
  ["ValidationError", 400, "fail-here"],
];

describe("Amazon SNS answering every documented error", () => {
  test.for([...errorsOfPublish, ...commonErrors])("%s", async ([code, status, effect, afterMs]) => {
    sns.answer = { status, body: refused(code, status >= 500 ? "Receiver" : "Sender") };
    expect(await provider().send()).toEqual(expectedResult(effect, `${status}, ${code}`, afterMs));
  });

  test.each([
    [400, "failed", "works"],
    [403, "retry", "fails"],
    [408, "retry", "fails"],
    [429, "retry", "fails"],
    [500, "retry", "fails"],
    [302, "retry", "fails"],
    [200, "retry", "fails"],
  ])("status %i without a known code", async (status, kind, state) => {
    for (const body of ["", "<html>", refused("New", "Sender"), refused("constructor", "Sender")]) {
      sns.answer = { status, body };
      expect(await provider().send()).toMatchObject({
        kind,
        provider: state,
        reason: expect.stringContaining(`(${status})`),
      });
    }
  });

  test("no answer", async () => {
    sns.answer = "hang up";
    expect(await provider().send()).toEqual({
      kind: "retry",
      reason: "the provider cannot be reached",
      provider: "fails",
      mayBeSent: true,
    });
  });
});

test.each([
  ["us-east-1", "sns.us-east-1.amazonaws.com"],
  ["us-gov-west-1", "sns.us-gov-west-1.amazonaws.com"],
  ["cn-north-1", "sns.cn-north-1.amazonaws.com.cn"],
])("the region %s has the address %s", (region, address) => {
  expect(providerUnderTest({ kind: snsKind, dsn: `sns://${credentials}@?region=${region}` }).address).toBe(address);
});

test.each([
  ["sns://?region=eu-west-1", "access key"],
  ["sns://AKIDEXAMPLE@?region=eu-west-1", "access key"],
  ["sns://AKIDEXAMPLE:secret@", "region"],
  ["sns://AKIDEXAMPLE:secret@eu-west-1?region=eu-west-1", "access key"],
  ["sns://AKIDEXAMPLE:secret@?region=EU", "region"],
  ["sns://AKIDEXAMPLE:secret@?region=eu-west-1&topic=x", "unknown parameter"],
])("the DSN %s is refused, and what is wrong is said without the secret", (dsn, problem) => {
  const configure = () => providerUnderTest({ kind: snsKind, dsn });
  expect(configure).toThrow(TypeError);
  expect(configure).toThrow(problem);
  expect(configure).not.toThrow("secret");
});
