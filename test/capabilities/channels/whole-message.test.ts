import MailComposer from "nodemailer/lib/mail-composer";
import { describe, expect, test } from "vitest";
import { wholeMessage } from "../../../src/capabilities/channels/email/whole-message.ts";

const long =
  "a line that is longer than what a line of a mail may be, so that it has to be wrapped somewhere on its way";

describe.each([
  ["short lines", "Your code is 123456.\nIt expires soon."],
  ["long lines", `${long}\n${long} `],
  ["some letters beyond ASCII", `Ihr Code für Müller: 123456 = ${long}`],
  ["a script beyond ASCII", "رمز التحقق الخاص بك هو 123456\n".repeat(20)],
  ["lines that begin with a dot and end with a space", ".a \n..b\t\n."],
])("a mail with %s", (_name, text) => {
  test("is written as nodemailer writes it", async () => {
    const compile = () =>
      new MailComposer({
        from: "Müller & Co <no-reply@example.com>",
        to: { name: "", address: "用户@example.com" },
        subject: text.slice(0, 40),
        text,
        html: `<p>${text}</p>\n<p>${long}</p>`,
        messageId: "<1@example.com>",
        date: new Date("2026-01-01T00:00:00Z"),
        baseBoundary: "boundary",
      }).compile();
    const [ours, theirs] = [wholeMessage(compile())?.toString(), (await compile().build()).toString()];
    expect(unwrapped(ours)).toBe(unwrapped(theirs));
    expect(Math.max(...(ours ?? "").split(/\r?\n/).map((line) => line.length))).toBeLessThanOrEqual(76);
  });
});

test("a mail with anything but text is left to nodemailer", () => {
  const attachments = [{ filename: "a.bin", content: Buffer.from([0, 1, 2]) }];
  expect(wholeMessage(new MailComposer({ text: "a", attachments }).compile())).toBeUndefined();
});

/** Where soft line breaks are differs between a text that is encoded at once and one that is encoded in pieces. */
function unwrapped(message: string | undefined): string | undefined {
  return message
    ?.replace(/=\r?\n/g, "")
    .replace(/\r\n/g, "\n")
    .trimEnd();
}
