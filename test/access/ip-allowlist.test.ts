import { describe, expect, test } from "vitest";
import { compileIpAllowlist, normalizeIpAllowlist, requireAllowedAddress } from "../../src/access/ip-allowlist.ts";

describe("storing an allowlist", () => {
  test("entries are stored in canonical notation, without duplicates", () => {
    const entries = [" 203.0.113.42 ", "198.51.100.0/24", "203.0.113.42/32", "::ffff:203.0.113.42", "2001:DB8::/32"];
    expect(normalizeIpAllowlist(entries, "ip_allowlist")).toEqual(["203.0.113.42", "198.51.100.0/24", "2001:db8::/32"]);
  });

  test("every invalid entry is named", () => {
    expect(() => normalizeIpAllowlist(["203.0.113.42", "home", "10.0.0.1/8"], "ip_allowlist")).toThrow(
      expect.objectContaining({
        code: "validation_error",
        details: {
          fields: {
            "ip_allowlist[1]": "must be an IPv4 or IPv6 address, or a range such as 203.0.113.0/24",
            "ip_allowlist[2]": "has bits set beyond its prefix: write 10.0.0.0/8, or the address alone",
          },
        },
      }),
    );
  });

  test.each([0, 101])("%d entries are refused", (count) => {
    const entries = Array.from({ length: count }, (_, index) => `192.0.2.${index}`);
    expect(() => normalizeIpAllowlist(entries, "ip_allowlist")).toThrow(
      expect.objectContaining({ details: { fields: { ip_allowlist: "must have between 1 and 100 entries" } } }),
    );
  });

  test("a hundred entries are accepted", () => {
    const entries = Array.from({ length: 100 }, (_, index) => `192.0.2.${index}`);
    expect(normalizeIpAllowlist(entries, "ip_allowlist")).toEqual(entries);
  });
});

describe("checking an address", () => {
  const key = compileIpAllowlist(["203.0.113.42", "198.51.100.0/24", "2001:db8:1::/48"]);
  const workspace = compileIpAllowlist(["198.51.100.0/25"]);

  test.each([
    ["203.0.113.42", true],
    ["203.0.113.43", false],
    ["198.51.100.200", true],
    ["::ffff:198.51.100.200", true],
    ["2001:db8:1:ffff::1", true],
    ["2001:db8:2::1", false],
    ["::203.0.113.42", false],
  ])("%s: %s", (address, isAllowed) => {
    expect(key.includes(address)).toBe(isAllowed);
  });

  test("without a list every address passes, and an unknown one too", () => {
    expect(() => requireAllowedAddress([null, null], undefined)).not.toThrow();
  });

  test("all lists must include the address", () => {
    expect(() => requireAllowedAddress([key, workspace], "198.51.100.1")).not.toThrow();
    expect(() => requireAllowedAddress([key, workspace], "198.51.100.200")).toThrow(
      expect.objectContaining({ code: "ip_not_allowed" }),
    );
    expect(() => requireAllowedAddress([null, workspace], "203.0.113.42")).toThrow(
      expect.objectContaining({ message: "This credential may not be used from the IP address 203.0.113.42." }),
    );
  });

  test("an unknown address passes no list, not even one of all addresses", () => {
    expect(() => requireAllowedAddress([compileIpAllowlist(["0.0.0.0/0", "::/0"])], undefined)).toThrow(
      expect.objectContaining({ code: "ip_not_allowed" }),
    );
  });

  test("a stored list that cannot be parsed throws, instead of allowing everybody", () => {
    expect(() => compileIpAllowlist(["198.51.100.7/24"])).toThrow(TypeError);
  });
});
