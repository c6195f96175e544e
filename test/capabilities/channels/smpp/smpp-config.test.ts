import { expect, test } from "vitest";
import { parseDsn } from "../../../../src/capabilities/channels/dsn.ts";
import { readSmppConfig } from "../../../../src/capabilities/channels/smpp/smpp-config.ts";

const read = (text: string) => readSmppConfig(parseDsn(text));

test("a DSN has an account and a host, and the rest has defaults", () => {
  expect(read("smpp://acme:p%40ss@smsc.example.com")).toEqual({
    host: "smsc.example.com",
    port: 2775,
    tls: undefined,
    systemId: "acme",
    password: "p@ss",
    systemType: "",
    serviceType: "",
    modes: ["transceiver"],
    window: 10,
    enquireLinkMs: 30_000,
    encoding: { defaultAlphabet: "gsm7", longMessages: "udh" },
    idForms: { submitted: "text", receipt: "text" },
    senderKind: {},
  });
});

test("every parameter is read", () => {
  const parameters =
    "bind=pair&binds=2&window=50&enquire_link=10&system_type=otp&service_type=OTP&alphabet=latin1&long=payload" +
    "&submit_ids=hex&receipt_ids=decimal&source_ton=6&source_npi=0&tls.rejectUnauthorized=false";
  expect(read(`smpps://acme:pass@[::1]:3551?${parameters}`)).toEqual({
    host: "::1",
    port: 3551,
    tls: { verifyCertificate: false },
    systemId: "acme",
    password: "pass",
    systemType: "otp",
    serviceType: "OTP",
    modes: ["transmitter", "receiver", "transmitter", "receiver"],
    window: 50,
    enquireLinkMs: 10_000,
    encoding: { defaultAlphabet: "latin1", longMessages: "payload" },
    idForms: { submitted: "hex", receipt: "decimal" },
    senderKind: { ton: 6, npi: 0 },
  });
  expect(read("smpps://acme:pass@smsc.example.com")).toMatchObject({ port: 3550, tls: { verifyCertificate: true } });
});

test.each([
  ["smpp://smsc.example.com", "it must be smpp://system_id:password@host:port, without a path"],
  ["smpp://acme:pass@", "it must be smpp://system_id:password@host:port, without a path"],
  ["smpp://acme:pass@host/path", "it must be smpp://system_id:password@host:port, without a path"],
  ["smpp://a-system-id-too-long:pass@host", "its system_id must be at most 15 ASCII characters"],
  ["smpp://acme:p%C3%A4ss@host", "its password must be at most 64 ASCII characters"],
  ["smpp://acme:pass@host?bind=receiver", "its parameter bind must be transceiver or transmitter or pair"],
  ["smpp://acme:pass@host?binds=0", "its parameter binds must be a whole number between 1 and 20"],
  ["smpp://acme:pass@host?alphabet=ucs2", "its parameter alphabet must be gsm7 or latin1"],
  ["smpp://acme:pass@host?submit_ids=octal", "its parameter submit_ids must be text or hex or decimal"],
  ["smpp://acme:pass@host?tls.rejectUnauthorized=false", "its parameter tls.rejectUnauthorized needs smpps://"],
])("%s is refused: %s", (text, message) => {
  expect(() => read(text)).toThrow(new TypeError(message));
});
