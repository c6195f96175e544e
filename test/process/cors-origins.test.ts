/** `CORS_ORIGINS`: whose pages may call the API. */
import { describe, expect, test } from "vitest";
import { parseConfig } from "../../src/app.ts";

const originsOf = (text: string) => parseConfig({ CORS_ORIGINS: text }).corsOrigins;

test("no origin is allowed by default, or if the setting is empty", () => {
  expect(parseConfig({}).corsOrigins).toEqual([]);
  expect(originsOf("")).toEqual([]);
});

test.each([
  ["https://app.example.com", ["https://app.example.com"]],
  [" https://a.example , http://localhost:3000,", ["https://a.example", "http://localhost:3000"]],
  ["HTTPS://App.Example.com/", ["https://app.example.com"]],
  ["https://a.example:443, http://b.example:80", ["https://a.example", "http://b.example"]],
  ["https://bücher.example", ["https://xn--bcher-kva.example"]],
  ["http://[::1]:5173", ["http://[::1]:5173"]],
  ["capacitor://localhost, chrome-extension://abcdef", ["capacitor://localhost", "chrome-extension://abcdef"]],
  ["https://a.example, https://A.example/", ["https://a.example"]],
  ["*", "any"],
])("%j is read as browsers send it", (text, expected) => {
  expect(originsOf(text)).toEqual(expected);
});

test("the setting is not a sign of production, and does not make a server public", () => {
  expect(parseConfig({ CORS_ORIGINS: "https://app.example.com" })).toMatchObject({ isPublic: false });
});

describe("an entry that no browser would send is refused", () => {
  test.each([
    "app.example.com",
    "localhost:3000",
    "//app.example.com",
    "https://",
    "https://app.example.com/path",
    "https://app.example.com/?",
    "https://app.example.com#",
    "https://user:hunter2@app.example.com",
    "https://*.example.com",
    "https://app.example.com https://b.example.com",
    "null",
    "file://",
    "*, https://app.example.com",
    "https://a.example,,https://b.example",
    ",",
  ])("%j", (text) => {
    const problem = "  - CORS_ORIGINS must be a comma-separated list of origins";
    expect(() => originsOf(text)).toThrow(problem);
    expect(() => originsOf(text)).toThrow(expect.toSatisfy(({ message }: Error) => !message.includes("hunter2")));
  });
});
