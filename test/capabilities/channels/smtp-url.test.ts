import { describe, expect, test } from "vitest";
import { parseSmtpUrl } from "../../../src/capabilities/channels/email/smtp-url.ts";

const plain = {
  host: "mail.example.com",
  port: 587,
  secure: false,
  requireTLS: false,
  ignoreTLS: false,
  verifyCertificate: true,
  auth: undefined,
};

describe("parseSmtpUrl", () => {
  test.each([
    ["smtp://mail.example.com", plain],
    ["smtp://mail.example.com:2525", { ...plain, port: 2525 }],
    ["SMTPS://mail.example.com:465", { ...plain, port: 465, secure: true }],
    ["smtps://mail.example.com", { ...plain, port: 465, secure: true }],
    ["smtp://mail.example.com?requireTLS=true", { ...plain, requireTLS: true }],
    ["smtp://mail.example.com?ignoreTLS=true", { ...plain, ignoreTLS: true }],
    [
      "smtps://mail.example.com/?tls.rejectUnauthorized=false",
      { ...plain, port: 465, secure: true, verifyCertificate: false },
    ],
    ["smtp://[::1]:25", { ...plain, host: "::1", port: 25 }],
    ["smtp://api%40key:p%3Aw%2F@mail.example.com", { ...plain, auth: { user: "api@key", pass: "p:w/" } }],
  ])("reads %s", (url, server) => {
    expect(parseSmtpUrl(url)).toEqual(server);
  });

  test.each([
    ["mail.example.com", "smtp:// or smtps://"],
    ["mail.example.com:587", "smtp:// or smtps://"],
    ["smtp:mail.example.com", "smtp:// or smtps://"],
    ["smtp://AKIA:Ab+c/hunter2=@mail.example.com", "percent-encoded"],
    ["smtps://user:hunter2@mail.example.com:587", "smtps with port 587"],
    ["smtp://user:hunter2@mail.example.com:465", "smtp with port 465"],
    ["smtp://mail.example.com:465?requireTLS=true", "smtp with port 465"],
    ["https://mail.example.com", "smtp:// or smtps://"],
    ["smtp://", "no host"],
    ["smtp://user:hunter2@mail.example.com?logger=true", 'unknown parameter "logger"'],
    ["smtp://user:hunter2@mail.example.com?debug=true", 'unknown parameter "debug"'],
    ["smtp://user:hunter2@mail.example.com?requireTLS=yes", "must be true or false"],
    ["smtp://user:hunter2@mail.example.com?requireTLS=false&requireTLS=true", "requireTLS twice"],
    ["smtp://user:hunter2@mail.example.com?requireTLS=true&ignoreTLS=true", "both ignoreTLS and requireTLS"],
    ["smtps://user:hunter2@mail.example.com?ignoreTLS=true", "both ignoreTLS and smtps"],
    ["smtp://user:hunter2@mail.example.com/requireTLS=true", "percent-encoded"],
    ["smtp://user:hunter2@mail.example.com#requireTLS=true", "percent-encoded"],
    ["smtp://user:12#hunter2@mail.example.com", "percent-encoded"],
    ["smtp://user@mail.example.com", "both a user and a password"],
    ["smtp://user:@mail.example.com", "both a user and a password"],
    ["smtp://:hunter2@mail.example.com", "both a user and a password"],
    ["smtp://user:12?hunter2@mail.example.com", "percent-encoded"],
    ["smtp://user:12?hunter2=@mail.example.com", "percent-encoded"],
    ["smtp://user:a@b?hunter2@mail.example.com", "percent-encoded"],
    ["smtp://user:hunter2@mail.example.com:0", "no port"],
    ["smtp://us%er:hunter2@mail.example.com", "user or password"],
  ])("refuses %s", (url, problem) => {
    expect(() => parseSmtpUrl(url)).toThrow(problem);
    expect(() => parseSmtpUrl(url)).not.toThrow("hunter2");
  });
});
