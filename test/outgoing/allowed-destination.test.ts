import { describe, expect, test } from "vitest";
import { type DestinationRules, isAllowedDestination } from "../../src/outgoing/allowed-destination.ts";
import { customerUrlProblem } from "../../src/outgoing/customer-url.ts";
import { parseIpRange } from "../../src/server/ip-range.ts";

const strict: DestinationRules = { allowedNetworks: [], allowsLoopback: false };
const local: DestinationRules = { allowedNetworks: [], allowsLoopback: true };
const networks = ["10.1.0.0/16", "fd00:1::/32", "64:ff9b:1::/48"].map((text) => parseIpRange(text));
const opened: DestinationRules = {
  allowedNetworks: networks.filter((range) => typeof range !== "string"),
  allowsLoopback: false,
};

const refused: Readonly<Record<string, readonly string[]>> = {
  "this network, unspecified": ["0.0.0.0", "0.1.2.3", "::"],
  loopback: ["127.0.0.1", "127.255.255.254", "::1"],
  private: ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fdff::1"],
  "carrier-grade NAT": ["100.64.0.1", "100.127.255.255", "100.100.100.200"],
  "link-local": ["169.254.1.1", "fe80::1", "fe80::1%eth0", "febf::1"],
  "site-local": ["fec0::1"],
  metadata: ["169.254.169.254", "169.254.170.2", "fd00:ec2::254", "192.0.0.192", "168.63.129.16"],
  multicast: ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"],
  "reserved and broadcast": ["240.0.0.1", "255.255.255.255", "4000::1", "e000::1"],
  documentation: ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
  benchmarks: ["198.18.0.1", "198.19.255.255", "2001:2::1"],
  "protocol assignments": ["192.0.0.1", "192.88.99.1", "192.52.193.1", "2001::1", "2001:10::1", "2001:20::1", "100::1"],
  "IPv4-mapped": ["::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1", "::ffff:8.8.8.8"],
  "IPv4-compatible and translated": ["::127.0.0.1", "::7f00:1", "::ffff:0:127.0.0.1"],
  NAT64: ["64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::808:808", "64:ff9b:1::7f00:1"],
  "6to4": ["2002:7f00:1::1", "2002:a00:1::", "2002:808:808::1"],
  Teredo: ["2001:0:7f00:1::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"],
  "segment routing": ["5f00::1"],
  "not addresses in their one notation": [
    "",
    "localhost",
    "2130706433",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
    "[::1]",
    "8.8.8.8.",
  ],
};

describe("addresses that are refused", () => {
  test.each(Object.entries(refused))("%s", (_, addresses) => {
    for (const address of addresses) {
      expect([address, isAllowedDestination(strict, "https:", address)]).toEqual([address, false]);
    }
  });
});

test("public addresses are allowed, also beside what is refused, and only with https", () => {
  const addresses = [
    "8.8.8.8",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.1",
    "126.255.255.255",
    "128.0.0.1",
    "172.15.0.1",
  ];
  for (const address of [
    ...addresses,
    "172.32.0.1",
    "192.0.1.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00::1",
    "2001:200::1",
  ]) {
    expect([address, isAllowedDestination(strict, "https:", address)]).toEqual([address, true]);
    expect([address, isAllowedDestination(local, "http:", address)]).toEqual([address, false]);
  }
});

test("loopback, with either scheme, only where it is allowed; nothing else is opened by that", () => {
  for (const protocol of ["http:", "https:"]) {
    expect(isAllowedDestination(local, protocol, "127.0.0.1")).toBe(true);
    expect(isAllowedDestination(local, protocol, "::1")).toBe(true);
    expect(isAllowedDestination(local, protocol, "::ffff:127.0.0.1")).toBe(false);
    expect(isAllowedDestination(local, protocol, "10.0.0.1")).toBe(false);
    expect(isAllowedDestination(strict, protocol, "127.0.0.1")).toBe(false);
  }
});

test("allowed networks are opened for https, and nothing beside them", () => {
  for (const address of ["10.1.2.3", "fd00:1::5", "64:ff9b:1::5"]) {
    expect([address, isAllowedDestination(opened, "https:", address)]).toEqual([address, true]);
    expect([address, isAllowedDestination(opened, "http:", address)]).toEqual([address, false]);
  }
  for (const address of ["10.2.0.1", "::ffff:10.1.2.3", "fd00:2::5", "127.0.0.1", "169.254.169.254"]) {
    expect([address, isAllowedDestination(opened, "https:", address)]).toEqual([address, false]);
  }
});

describe("URLs", () => {
  const notPublic = "must have a public address";
  test.each([
    // Every spelling of 127.0.0.1 and of 169.254.169.254 that the URL parser knows.
    ["https://127.0.0.1/", notPublic],
    ["https://127.1/", notPublic],
    ["https://2130706433/", notPublic],
    ["https://0x7f000001/", notPublic],
    ["https://0x7f.0.0.1/", notPublic],
    ["https://017700000001/", notPublic],
    ["https://0177.0.0.1/", notPublic],
    ["https://127.0.0.1./", notPublic],
    ["https://１２７.０.０.１/", notPublic],
    ["https://127。0。0。1/", notPublic],
    ["https://%31%32%37.0.0.1/", notPublic],
    ["https://0xa9fea9fe/latest/meta-data/", notPublic],
    ["https://[::1]/", notPublic],
    ["https://[0:0:0:0:0:0:0:1]/", notPublic],
    ["https://[::ffff:127.0.0.1]/", notPublic],
    ["https://[64:ff9b::7f00:1]/", notPublic],
    ["https://0/", notPublic],
    ["https://localhost/", notPublic],
    ["https://LOCALHOST./", notPublic],
    ["https://api.localhost/", notPublic],
    ["https://[fe80::1%25eth0]/", "must be a URL that begins with https://"],
    ["http://example.com/", "must be a URL that begins with https://"],
    ["http://127.0.0.1/", "must be a URL that begins with https://"],
    ["ftp://example.com/", "must be a URL that begins with https://"],
    ["file:///etc/passwd", "must be a URL that begins with https://"],
    ["example.com", "must be a URL that begins with https://"],
    [" https://example.com/", "must be a URL that begins with https://"],
    ["https:example.com", "must be a URL that begins with https://"],
    ["https:\\\\example.com/", "must be a URL that begins with https://"],
    ["https://example.com/ ", "must not contain spaces or control characters"],
    ["https://example.com/\n\nYour account is closed.", "must not contain spaces or control characters"],
    ["https://exam\tple.com/", "must not contain spaces or control characters"],
    ["https://example.com/\0", "must not contain spaces or control characters"],
    ["https://example.com/\u202ekooh", "must not contain spaces or control characters"],
    ["https://user@example.com/", "must not contain a user or a password: the receiver knows us by the signature"],
    ["https://:secret@example.com/", "must not contain a user or a password: the receiver knows us by the signature"],
    ["https://example.com/#part", "must not contain a fragment"],
    ["https://example.com:0/", "must have a port between 1 and 65535"],
    ["https://example.com:65536/", "must be a URL that begins with https://"],
    [`https://example.com/${"a".repeat(2_030)}`, "must be at most 2048 characters long"],
    ["https://example.com/hook?token=1", undefined],
    ["https://example.com:8443/hook", undefined],
    ["HTTPS://example.com/", undefined],
    ["https://bücher.example/straße?q=ü", undefined],
    ["https://8.8.8.8/", undefined],
    ["https://[2606:4700::1111]/", undefined],
  ])("%s", (url, problem) => {
    expect(customerUrlProblem(url, strict)).toBe(problem);
  });

  test("http is for this machine alone, where that is allowed", () => {
    expect(customerUrlProblem("http://localhost:3000/hook", local)).toBeUndefined();
    expect(customerUrlProblem("http://127.0.0.1:3000/hook", local)).toBeUndefined();
    expect(customerUrlProblem("http://[::1]:3000/hook", local)).toBeUndefined();
    expect(customerUrlProblem("http://10.0.0.1/hook", local)).toBe(notPublic);
    expect(customerUrlProblem("http://example.com/hook", local)).toBe(
      "must begin with https:// unless it is this machine",
    );
    expect(customerUrlProblem("ws://localhost/hook", local)).toBe(
      "must be a URL that begins with https://, or http:// for this machine",
    );
  });
});
