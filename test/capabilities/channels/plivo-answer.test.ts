import { expect, test } from "vitest";
import { PlivoAnswers, speakXml } from "../../../src/capabilities/channels/plivo/plivo-answer.ts";
import { fixedNow } from "./messages.ts";

const text = "Your Acme verification code is: 4, 9, 3, 8, 1, 7.";
const expiresAt = new Date(fixedNow.getTime() + 300_000);

test("the words of a call cannot be read in the URL, and are read by every server with the token until the code expires", async () => {
  const sealed = await new PlivoAnswers("a token").seal(text, expiresAt);
  expect(sealed).toMatch(/^[\w.-]+$/);
  expect(sealed.split(".").map((part) => Buffer.from(part, "base64url").toString())).not.toContain("verification");
  expect(await new PlivoAnswers("a token").open(sealed, fixedNow)).toBe(text);
  expect(await new PlivoAnswers("a token").open(sealed, new Date(expiresAt.getTime() + 1_000))).toBeUndefined();
});

/** Another first character, after the dot. */
const swapFirst = (_: string, first: string) => (first === "A" ? ".B" : ".A");

test.each([
  ["sealed with another token", async () => new PlivoAnswers("another").seal(text, expiresAt)],
  [
    "changed",
    async () => (await new PlivoAnswers("a token").seal(text, expiresAt)).replace(/\.(.)(?=[^.]+$)/, swapFirst),
  ],
  ["made up", async () => "eyJhbGciOiJkaXIifQ..a.b.c"],
  ["empty", async () => ""],
])("words that are %s are not spoken", async (_, sealed) => {
  expect(await new PlivoAnswers("a token").open(await sealed(), fixedNow)).toBeUndefined();
});

test("the words are escaped for XML", () => {
  expect(speakXml(`<Hangup/> & "Son's"`)).toBe(
    '<?xml version="1.0" encoding="UTF-8"?><Response><Speak>&lt;Hangup/&gt; &amp; &quot;Son&#39;s&quot;</Speak><Hangup/></Response>',
  );
});
