import { describe, expect, test } from "vitest";
import { plivoReport } from "../../../src/capabilities/channels/plivo/plivo-report.ts";
import { fixedNow } from "./messages.ts";

const uuid = "db3ce55a-7f1d-11e1-8ea7-1231380bc196";

type Documented = readonly [code: number, name: string, undeliverable?: true];

/** "SMS error codes"; those from 300 to 910 are of the older API reference. */
const messageErrors: readonly Documented[] = [
  [10, "Invalid message"],
  [20, "Network error"],
  [30, "Spam detected"],
  [40, "Invalid source number"],
  [50, "Invalid destination number", true],
  [60, "Loop detected"],
  [70, "Destination permanently unavailable", true],
  [80, "Destination temporarily unavailable"],
  [90, "No route available"],
  [100, "Prohibited by carrier"],
  [110, "Message too long"],
  [200, "Source number blocked by STOP from destination number", true],
  [201, "Outbound messages from US toll-free numbers to Canadian destination numbers are blocked"],
  [300, "Failed to dispatch message"],
  [420, "Message expired"],
  [450, "Destination country barred"],
  [900, "Insufficient credit"],
  [910, "Account disabled"],
  [1000, "Unknown error"],
];

/** "Hangup causes". */
const hangupCauses: readonly Documented[] = [
  [0, "Unknown"],
  [1000, "Canceled"],
  [1010, "Canceled (Out Of Credits)"],
  [1020, "Canceled (Simultaneous dial limit reached)"],
  [2000, "Invalid Destination Address", true],
  [2010, "Destination Out Of Service"],
  [2020, "Endpoint Not Registered"],
  [2030, "Destination Country Barred"],
  [2040, "Destination Number Barred"],
  [2050, "Destination Prefix Barred"],
  [2060, "Loop Detected"],
  [2070, "Violates Media Anchoring"],
  [3000, "No Answer"],
  [3010, "Busy Line"],
  [3020, "Rejected"],
  [3030, "Unknown Caller ID"],
  [3040, "Forbidden"],
  [3050, "Unallocated number", true],
  [3070, "Request timeout"],
  [3080, "Internal server error from carrier"],
  [3090, "Network congestion from carrier"],
  [3100, "Busy everywhere"],
  [3110, "Declined"],
  [3120, "User does not exist anywhere", true],
  [3130, "Spam block"],
  [3140, "DNO Caller ID"],
  [5000, "Network Error"],
  [5010, "Internal Error"],
  [5020, "Routing Error"],
  [5030, "Concurrency Limit Breached"],
  [6010, "Ring Timeout Reached"],
  [7011, "Error Reaching Answer URL"],
  [7012, "Error Reaching Action URL"],
  [7013, "Error Reaching Transfer URL"],
  [7014, "Error Reaching Redirect URL"],
  [7022, "Invalid Action URL"],
  [7023, "Invalid Transfer URL"],
  [7024, "Invalid Redirect URL"],
  [7032, "Invalid Method For Action URL"],
  [7033, "Invalid Method For Transfer URL"],
  [7034, "Invalid Method For Redirect URL"],
  [8011, "Invalid Answer XML"],
  [8012, "Invalid Action XML"],
  [8013, "Invalid Transfer XML"],
  [8014, "Invalid Redirect XML"],
  [9100, "Machine Detected"],
];

const failure = (code: number, undeliverable: true | undefined) => ({
  messageId: uuid,
  state: "failed",
  at: fixedNow,
  error: expect.stringMatching(new RegExp(`^[A-Za-z's, ]+ \\(code ${code}\\)$`)),
  ...(undeliverable === undefined ? {} : { undeliverable }),
});

describe("a status report of a text message", () => {
  const report = (fields: Readonly<Record<string, string>>) => {
    const form = { MessageUUID: uuid, From: "14155550100", To: "6591234567", Units: "1", ...fields };
    return plivoReport(new URLSearchParams(form), fixedNow);
  };

  test.each([
    ["queued", "sent"],
    ["sent", "sent"],
    ["delivered", "delivered"],
    ["read", "read"],
  ])("%s is recorded as %s", (status, state) => {
    expect(report({ Status: status, ErrorCode: "000" })).toEqual({ messageId: uuid, state, at: fixedNow, error: null });
  });

  test.for(messageErrors)("error %i (%s) has a reason in our words", ([code, _, undeliverable]) => {
    expect(report({ Status: "failed", ErrorCode: String(code) })).toEqual(failure(code, undeliverable));
    expect(report({ Status: "undelivered", ErrorCode: String(code) })).toEqual(failure(code, undeliverable));
  });

  test.each([{}, { ErrorCode: "" }, { ErrorCode: "6591234567" }])("a failure with %j has a reason", (fields) => {
    expect(report({ Status: "failed", ...fields })).toMatchObject({ error: "Plivo could not deliver the message" });
  });

  test("an unknown state is no report", () => {
    expect(report({ Status: "constructor" })).toBeUndefined();
    expect(report({ Status: "sent", MessageUUID: "a b" })).toBeUndefined();
  });
});

describe("a report of a call", () => {
  const report = (fields: Readonly<Record<string, string>>) => {
    const form = { RequestUUID: uuid, CallUUID: "another", Direction: "outbound", To: "6591234567", ...fields };
    return plivoReport(new URLSearchParams(form), fixedNow);
  };

  test("a call that was answered and ended is delivered, whoever ended it", () => {
    for (const code of ["4000", "4010", "6000", "0"]) {
      const expected = { messageId: uuid, state: "delivered", at: fixedNow, error: null };
      expect(report({ CallStatus: "completed", HangupCauseCode: code })).toEqual(expected);
    }
  });

  test.each(["ringing", "in-progress"])("a call that is %s is not over", (status) => {
    expect(report({ CallStatus: status })).toMatchObject({ state: "sent" });
  });

  test.for(hangupCauses)("hang-up cause %i (%s) has a reason in our words", ([code, _, undeliverable]) => {
    expect(report({ CallStatus: "failed", HangupCauseCode: String(code) })).toEqual(failure(code, undeliverable));
  });

  test("a call is not delivered if the words could not be fetched, although it was answered", () => {
    expect(report({ CallStatus: "completed", HangupCauseCode: "7011" })).toMatchObject({ state: "failed" });
  });

  test.each(["busy", "no-answer", "timeout", "failed"])("a call that ended as %s failed", (status) => {
    expect(report({ CallStatus: status })).toMatchObject({ state: "failed", error: "Plivo could not place the call" });
  });
});

test("a form about nothing that was sent is no report", () => {
  expect(plivoReport(new URLSearchParams(), fixedNow)).toBeUndefined();
});
