import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatIpAddress,
  formatIpRange,
  includesAddress,
  parseIpAddress,
  parseIpRange,
} from "../../src/server/ip-range.ts";

describe("addresses", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:c000:201", "192.0.2.1"],
    ["::", "::"],
    ["::192.0.2.1", "::c000:201"],
    ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
  ])("%s is %s", (text, written) => {
    const address = parseIpAddress(text);
    expect(address && formatIpAddress(address)).toBe(written);
  });

  test.each(["", "192.0.2", "192.0.2.256", "0x7f.1", "2130706433", "010.0.0.1", "fe80::1%eth0", " ::1", "a.example"])(
    "%j is no address",
    (text) => {
      expect(parseIpAddress(text)).toBeUndefined();
    },
  );
});

describe("ranges", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["192.0.2.1/32", "192.0.2.1"],
    ["198.51.100.0/24", "198.51.100.0/24"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["2001:db8::/32", "2001:db8::/32"],
    ["2001:DB8::1/128", "2001:db8::1"],
    ["::ffff:198.51.100.0/120", "198.51.100.0/24"],
    ["::ffff:198.51.100.7", "198.51.100.7"],
    ["::/0", "::/0"],
  ])("%s is stored as %s", (text, written) => {
    const range = parseIpRange(text);
    expect(typeof range === "string" ? range : formatIpRange(range)).toBe(written);
  });

  test.each([
    ["", "must be an IPv4 or IPv6 address, or a range such as 203.0.113.0/24"],
    ["198.51.100.0/24/24", "must be an IPv4 or IPv6 address, or a range such as 203.0.113.0/24"],
    ["198.51.100.0/33", "must have a prefix between 0 and 32"],
    ["198.51.100.0/", "must have a prefix between 0 and 32"],
    ["10.0.0.0/08", "must have a prefix without leading zeros"],
    ["2001:db8::/032", "must have a prefix without leading zeros"],
    ["0.0.0.0/00", "must have a prefix without leading zeros"],
    ["198.51.100.0/-1", "must have a prefix between 0 and 32"],
    ["2001:db8::/129", "must have a prefix between 0 and 128"],
    ["::ffff:198.51.100.0/24", "must be written as an IPv4 range, such as 203.0.113.0/24"],
    ["198.51.100.7/24", "has bits set beyond its prefix: write 198.51.100.0/24, or the address alone"],
    ["2001:db8::1/64", "has bits set beyond its prefix: write 2001:db8::/64, or the address alone"],
  ])("%s %s", (text, problem) => {
    expect(parseIpRange(text)).toBe(problem);
  });

  test("an address is in the range of its prefix, for every length, and in no range that differs in one bit", () => {
    const v4 = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(v4, fc.integer({ min: 1, max: 32 }), fc.nat(31), (bytes, length, flip) => {
        const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
        const network = number - (number % 2 ** (32 - length));
        const range = parseIpRange(`${dotted(network)}/${length}`);
        const other = (number ^ (1 << (31 - flip))) >>> 0;
        if (typeof range === "string") {
          throw new Error(range);
        }
        expect(includes(range, dotted(number))).toBe(true);
        expect(includes(range, dotted(other))).toBe(flip >= length);
      }),
    );
  });

  test("no IPv6 range includes an IPv4 address, and the other way round", () => {
    const [all4, all6] = [parseIpRange("0.0.0.0/0"), parseIpRange("::/0")];
    if (typeof all4 === "string" || typeof all6 === "string") {
      throw new Error("not ranges");
    }
    expect([includes(all4, "2001:db8::1"), includes(all6, "192.0.2.1")]).toEqual([false, false]);
    expect([includes(all4, "::ffff:192.0.2.1"), includes(all6, "2001:db8::1")]).toEqual([true, true]);
  });
});

function dotted(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".");
}

function includes(range: Exclude<ReturnType<typeof parseIpRange>, string>, text: string): boolean {
  const address = parseIpAddress(text);
  return address !== undefined && includesAddress(range, address);
}
