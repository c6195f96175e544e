import { describe, expect, test } from "vitest";
import { MailDomains } from "../../../src/capabilities/email-lookup/mail-domains.ts";
import { DnsServer, record } from "./dns-server.ts";

const mx = (name: string, ...exchanges: (readonly [preference: number, exchange: string])[]) =>
  exchanges.map(([preference, exchange]) => record(name, "MX", { preference, exchange }));

const zone = {
  "mail.example": mx("mail.example", [20, "b.mail.example"], [10, "A.Mail.example"]),
  "null.example": mx("null.example", [0, "."]),
  "address.example": [record("address.example", "A", "192.0.2.1")],
  "six.example": [record("six.example", "AAAA", "2001:db8::1")],
  "empty.example": [record("empty.example", "TXT", "nothing else")],
  "number.example": mx("number.example", [0, "192.0.2.1"]),
  "here.example": mx("here.example", [0, "localhost"]),
  "broken.example": "SERVFAIL",
  "silent.example": "silence",
  "slow.example": { afterMs: 1_400, answers: mx("slow.example", [10, "mail.slow.example"]) },
} as const;

async function start(nowMs = { value: 0 }) {
  const server = await DnsServer.start(zone);
  const clock = { monotonicMs: () => nowMs.value };
  const domains = new MailDomains({ clock, servers: [server.address], timeoutMs: 100 });
  return { server, domains, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

describe("what the domain name system says", () => {
  test.each([
    ["a domain takes mail at its most preferred server", "mail.example", "accepts_mail", "a.mail.example"],
    ["a domain without MX takes it at its address", "address.example", "accepts_mail", "address.example"],
    ["an IPv6 address is one, too", "six.example", "accepts_mail", "six.example"],
    ["null MX (RFC 7505) takes none", "null.example", "no_mail", undefined],
    ["an existing name without MX and address takes none", "empty.example", "no_mail", undefined],
    ["a mail server that is an IP address reaches nobody", "number.example", "no_mail", undefined],
    ["nor does localhost", "here.example", "no_mail", undefined],
    ["a name that does not exist", "nowhere.example", "not_found", undefined],
    ["a server that fails says nothing", "broken.example", "unknown", undefined],
    ["nor does one that is silent", "silent.example", "unknown", undefined],
  ])("%s", async (_, domain, status, mailServer) => {
    await using started = await start();
    expect(await started.domains.find(domain, "ws_1")).toEqual({ status, mailServer });
  });

  test("a slow domain is waited for, however fast the others were", async () => {
    await using server = await DnsServer.start(zone);
    const domains = new MailDomains({ clock: { monotonicMs: () => 0 }, servers: [server.address] });
    for (let index = 0; index < 10; index += 1) {
      await domains.find(`${index}.nowhere.example`, "ws_1");
    }
    expect(await domains.find("slow.example", "ws_1")).toEqual({
      status: "accepts_mail",
      mailServer: "mail.slow.example",
    });
    expect(server.questions.filter((question) => question === "MX slow.example")).toHaveLength(1);
  });

  test("three silent servers are not each waited for", async () => {
    await using one = await DnsServer.start(zone);
    await using two = await DnsServer.start(zone);
    await using three = await DnsServer.start(zone);
    const servers = [one, two, three];
    const addresses = servers.map(({ address }) => address);
    const domains = new MailDomains({ clock: { monotonicMs: () => 0 }, servers: addresses, timeoutMs: 500 });
    expect((await domains.find("silent.example", "ws_1")).status).toBe("unknown");
    // Two attempts at each of the three would be six questions.
    expect(servers.flatMap(({ questions }) => questions).length).toBeLessThan(6);
  });

  test("nobody is told of reserved names", async () => {
    await using started = await start();
    for (const domain of ["shop.test", "a.invalid", "printer.local", "x.onion"]) {
      expect((await started.domains.find(domain, "ws_1")).status).toBe("not_found");
    }
    expect(started.server.questions).toEqual([]);
  });
});

describe("questions are not repeated", () => {
  test("answers are remembered for five minutes, failures for five seconds", async () => {
    const now = { value: 0 };
    await using started = await start(now);
    const ask = async (domain: string) => {
      started.server.questions.length = 0;
      await started.domains.find(domain, "ws_1");
      return started.server.questions.length > 0;
    };
    expect([await ask("mail.example"), await ask("broken.example"), await ask("nowhere.example")]).toEqual([
      true,
      true,
      true,
    ]);
    now.value = 4_999;
    expect([await ask("mail.example"), await ask("broken.example")]).toEqual([false, false]);
    now.value = 5_000;
    expect([await ask("mail.example"), await ask("broken.example"), await ask("nowhere.example")]).toEqual([
      false,
      true,
      false,
    ]);
    now.value = 300_000;
    expect([await ask("mail.example"), await ask("nowhere.example")]).toEqual([true, true]);
  });

  test("a domain that many ask for is asked for once", async () => {
    await using started = await start();
    await Promise.all(Array.from({ length: 50 }, () => started.domains.find("mail.example", "ws_1")));
    expect(started.server.questions).toEqual(["MX mail.example"]);
  });

  test("beyond two hundred domains at once the answer is unknown, at once, and beyond fifty of one workspace for that one", async () => {
    await using started = await start();
    const ask = (workspaceId: string) =>
      Array.from({ length: 50 }, (_, index) => started.domains.find(`${index}.${workspaceId}.example`, workspaceId));
    const slow = ask("ws_1");
    const before = started.server.questions.length;
    expect((await started.domains.find("mail.example", "ws_1")).status).toBe("unknown");
    expect(started.server.questions.length).toBe(before);
    expect((await started.domains.find("mail.example", "ws_2")).status).toBe("accepts_mail");
    await Promise.all(slow);
    const all = ["ws_1", "ws_2", "ws_3", "ws_4"].flatMap((workspaceId) => ask(`later-${workspaceId}`));
    expect((await started.domains.find("address.example", "ws_5")).status).toBe("unknown");
    await Promise.all(all);
    expect((await started.domains.find("address.example", "ws_5")).status).toBe("accepts_mail");
  });
});
