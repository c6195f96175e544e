import { expect, test } from "vitest";
import { PlivoAnswers, speakXml } from "../../../src/capabilities/channels/plivo/plivo-answer.ts";
import { fixedNow } from "./messages.ts";

const speech = { text: "Your Acme verification code is: four, nine.", voice: { language: "en-US" } };
const expiresAt = new Date(fixedNow.getTime() + 300_000);

test("the words of a call cannot be read in the URL, and are read by every server with the token until the code expires", async () => {
  const sealed = await new PlivoAnswers("a token").seal(speech, expiresAt);
  expect(sealed).toMatch(/^[\w.-]+$/);
  expect(sealed.split(".").map((part) => Buffer.from(part, "base64url").toString())).not.toContain("verification");
  expect(await new PlivoAnswers("a token").open(sealed, fixedNow)).toEqual(speech);
  expect(await new PlivoAnswers("a token").open(sealed, new Date(expiresAt.getTime() + 1_000))).toBeUndefined();
});

/** Another first character, after the dot. */
const swapFirst = (_: string, first: string) => (first === "A" ? ".B" : ".A");

test.each([
  ["sealed with another token", async () => new PlivoAnswers("another").seal(speech, expiresAt)],
  [
    "changed",
    async () => (await new PlivoAnswers("a token").seal(speech, expiresAt)).replace(/\.(.)(?=[^.]+$)/, swapFirst),
  ],
  ["made up", async () => "eyJhbGciOiJkaXIifQ..a.b.c"],
  ["empty", async () => ""],
])("words that are %s are not spoken", async (_, sealed) => {
  expect(await new PlivoAnswers("a token").open(await sealed(), fixedNow)).toBeUndefined();
});

test("the words are escaped for XML", () => {
  expect(speakXml({ text: `<Hangup/> & "Son's"`, voice: { voice: "Polly.Filiz" } })).toBe(
    '<?xml version="1.0" encoding="UTF-8"?><Response><Speak voice="Polly.Filiz">&lt;Hangup/&gt; &amp; &quot;Son&#39;s&quot;</Speak><Hangup/></Response>',
  );
});
