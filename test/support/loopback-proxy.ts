import type { ProxyTrust } from "../../src/server/client-address.ts";
import { parseIpRange } from "../../src/server/ip-range.ts";

/** Lets tests choose the address that a call comes from: loopback is a proxy, and `X-Forwarded-For` tells the client. */
export const loopbackProxy: ProxyTrust = {
  header: "x-forwarded-for",
  trustedProxies: ["127.0.0.0/8", "::1"].map(parseIpRange).filter((range) => typeof range !== "string"),
};
