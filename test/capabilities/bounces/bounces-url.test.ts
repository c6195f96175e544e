/** The setting BOUNCES_URL. */
import { expect, test } from "vitest";
import { parseBouncesUrl } from "../../../src/capabilities/bounces/bounces-url.ts";

test("special characters are percent-encoded in user, password and folder", () => {
  expect(parseBouncesUrl("imaps://in%40acme.example:p%3Fw@mail.example.com/Back%40us")).toMatchObject({
    user: "in@acme.example",
    password: "p?w",
    host: "mail.example.com",
    port: 993,
    folder: "Back@us",
  });
});

test.each([
  ["imaps://user:a@b?hunter2@mail.example.com/INBOX"],
  ["imaps://user:a@b/hunter2@mail.example.com/INBOX"],
  ["imaps://user:a@b#hunter2@mail.example.com/INBOX"],
  ["imaps://user:12?hunter2@mail.example.com"],
])("%s is refused, and the problem shows no part of the password", (url) => {
  expect(() => parseBouncesUrl(url)).toThrow(TypeError);
  expect(() => parseBouncesUrl(url)).not.toThrow("hunter2");
});
