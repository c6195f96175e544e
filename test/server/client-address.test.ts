import { describe, expect, test } from "vitest";
import { clientAddressOf, limitKeyOf } from "../../src/server/client-address.ts";
import { type IpRange, parseIpRange } from "../../src/server/ip-range.ts";

const trustedProxies = ["10.0.0.0/8", "2001:db8:ffff::/48"].map((text): IpRange => {
  const range = parseIpRange(text);
  if (typeof range === "string") {
    throw new Error(range);
  }
  return range;
});

function clientOf(socket: string | undefined, forwarded?: string, proxies: readonly IpRange[] = trustedProxies) {
  const headers = new Headers(forwarded === undefined ? {} : { "X-Forwarded-For": forwarded });
  return clientAddressOf({ header: "x-forwarded-for", trustedProxies: proxies }, socket, headers);
}

describe("the client's address", () => {
  test.each<[string, string | undefined, string | undefined, string | undefined]>([
    ["is the socket's where nothing is in between", "203.0.113.9", undefined, "203.0.113.9"],
    ["is the socket's in IPv4 where it is mapped", "::ffff:203.0.113.9", undefined, "203.0.113.9"],
    ["loses the interface", "fe80::1%eth0", undefined, "fe80::1"],
    ["is the socket's, whatever an untrusted peer claims", "203.0.113.9", "192.0.2.1", "203.0.113.9"],
    ["is what a trusted proxy wrote", "10.0.0.1", "192.0.2.1", "192.0.2.1"],
    ["is what a trusted proxy wrote, on a mapped socket", "::ffff:10.0.0.1", "192.0.2.1", "192.0.2.1"],
    ["is the rightmost that is not a proxy", "10.0.0.1", "6.6.6.6, 192.0.2.1, 10.1.1.1", "192.0.2.1"],
    ["ignores what the client wrote, however odd", "10.0.0.1", "nonsense, , 192.0.2.1", "192.0.2.1"],
    ["is the leftmost where all are proxies", "10.0.0.1", "10.2.2.2, 10.1.1.1", "10.2.2.2"],
    ["is the proxy's own where it wrote nothing", "10.0.0.1", undefined, "10.0.0.1"],
    ["may have a port", "10.0.0.1", "192.0.2.1:4711", "192.0.2.1"],
    ["may be IPv6", "2001:db8:ffff::1", "2001:DB8:0::7", "2001:db8::7"],
    ["may be IPv6 with a port", "10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"],
    ["may be IPv6 in brackets", "10.0.0.1", "[2001:db8::7]", "2001:db8::7"],
    ["may be mapped in the header", "10.0.0.1", "::ffff:192.0.2.1", "192.0.2.1"],
    ["is unknown where the proxy's word cannot be read", "10.0.0.1", "192.0.2.1, unknown", undefined],
    ["is unknown where it is empty", "10.0.0.1", "192.0.2.1,", undefined],
    ["is unknown in an older notation", "10.0.0.1", "0xc0.0.2.1", undefined],
    ["is unknown where the socket has none", undefined, "192.0.2.1", undefined],
  ])("%s", (_name, socket, forwarded, client) => {
    expect(clientOf(socket, forwarded)).toBe(client);
  });

  test("is always the socket's if no proxy is trusted", () => {
    expect(clientOf("10.0.0.1", "192.0.2.1", [])).toBe("10.0.0.1");
  });

  test("comes only from the configured header", () => {
    const headers = new Headers({ "X-Forwarded-For": "6.6.6.6", "CF-Connecting-IP": "192.0.2.1" });
    expect(clientAddressOf({ header: "cf-connecting-ip", trustedProxies }, "10.0.0.1", headers)).toBe("192.0.2.1");
  });

  test("is read from a repeated header as one list", () => {
    const headers = new Headers([
      ["X-Forwarded-For", "6.6.6.6"],
      ["X-Forwarded-For", "192.0.2.1"],
    ]);
    expect(clientAddressOf({ header: "x-forwarded-for", trustedProxies }, "10.0.0.1", headers)).toBe("192.0.2.1");
  });
});

describe("the key that an address is counted under", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2:ffff::", "2001:db8:1:2::/64"],
    ["2001:db8:1:3::", "2001:db8:1:3::/64"],
    [undefined, "unknown"],
  ])("%s by %s", (address, key) => {
    expect(limitKeyOf(address)).toBe(key);
  });
});
