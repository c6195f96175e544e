import { describe, expect, test } from "vitest";
import { vonageReport } from "../../../src/capabilities/channels/vonage/vonage-report.ts";
import { messageErrors } from "./vonage-answers.ts";

const uuid = "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab";
const at = new Date("2026-03-01T12:00:01.000Z");

describe("a status report of a text message", () => {
  const report = (change: object) =>
    vonageReport({
      message_uuid: uuid,
      to: "6591234567",
      from: "447700900001",
      timestamp: at.toISOString(),
      channel: "sms",
      ...change,
    });

  test.each([
    ["submitted", "sent"],
    ["delivered", "delivered"],
    ["read", "read"],
  ])("%s is recorded as %s", (status, state) => {
    expect(report({ status })).toEqual({ messageId: uuid, state, at, error: null });
  });

  const undeliverable = new Set([1050, 1170, 1190, 1240, 1300, 1430, 2003]);
  test.each(messageErrors)("error %i (%s) has a reason in our words", (code, title) => {
    const type = `https://developer.vonage.com/api-errors/messages#${code}`;
    const detail = `${title}: 6591234567 was not sent 493817`;
    const expected = {
      messageId: uuid,
      state: "failed",
      at,
      error: expect.stringMatching(new RegExp(`^[A-Za-z's,: ?-]+ \\(code ${code}\\)$`)),
      ...(undeliverable.has(code) ? { undeliverable: true } : {}),
    };
    expect(report({ status: "rejected", error: { type, title, detail } })).toEqual(expected);
    expect(report({ status: "undeliverable", error: { title: code, detail } })).toEqual(expected);
    expect(report({ status: "rejected", error: { title: String(code), detail } })).toEqual(expected);
  });

  test.each([undefined, {}, { title: "6591234567" }, { type: "no fragment" }])(
    "a failure with the error %j has a reason",
    (error) => {
      expect(report({ status: "rejected", error })).toMatchObject({ error: "Vonage could not deliver the message" });
    },
  );
});

describe("an event of a call", () => {
  const report = (change: object) =>
    vonageReport({
      uuid,
      conversation_uuid: "CON-f972836a-550f-45fa-956c-12a2ab5b7d22",
      to: "6591234567",
      from: "447700900001",
      timestamp: at.toISOString(),
      direction: "outbound",
      ...change,
    });

  test.each([
    ["started", "sent"],
    ["ringing", "sent"],
    ["answered", "delivered"],
    ["completed", "delivered"],
  ])("%s is recorded as %s", (status, state) => {
    expect(report({ status })).toEqual({ messageId: uuid, state, at, error: null });
  });

  test.each([
    ["busy", undefined, "the line was busy", false],
    ["cancelled", undefined, "the call was cancelled", false],
    ["timeout", undefined, "the call was not answered", false],
    ["unanswered", undefined, "the call was not answered", false],
    ["unanswered", "unavailable", "the recipient cannot be reached at present", false],
    ["unanswered", "timeout", "the call was not answered", false],
    ["rejected", undefined, "the call was rejected", false],
    ["rejected", "invalid_number", "the number is invalid", true],
    ["rejected", "restricted", "the carrier rejected the call", false],
    ["rejected", "declined", "the recipient rejected the call", false],
    ["failed", undefined, "Vonage could not place the call", false],
    ["failed", "cannot_route", "Vonage has no route to the recipient", false],
    ["failed", "number_out_of_service", "the number is not in use", true],
    ["failed", "internal_error", "Vonage could not place the call", false],
    ["timeout", "carrier_timeout", "the carrier did not answer", false],
    ["failed", "6591234567", "Vonage could not place the call", false],
  ])("%s with the detail %s is a failure: %s", (status, detail, error, isUndeliverable) => {
    expect(report({ status, detail })).toEqual({
      messageId: uuid,
      state: "failed",
      at,
      error,
      ...(isUndeliverable ? { undeliverable: true } : {}),
    });
  });

  test.each(["human", "machine", "record", "input", "transfer", "disconnected", "constructor"])(
    "%s says nothing about the message",
    (status) => {
      expect(report({ status })).toBeUndefined();
    },
  );
});

test.each([
  null,
  "text",
  [],
  {},
  { message_uuid: uuid, status: "delivered" },
  { message_uuid: uuid, status: "delivered", timestamp: "yesterday" },
  { message_uuid: "a b", status: "delivered", timestamp: at.toISOString() },
  { message_uuid: uuid, status: "new", timestamp: at.toISOString() },
])("%j is no report", (event) => {
  expect(vonageReport(event)).toBeUndefined();
});
