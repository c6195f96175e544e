/**
 * No workspace, and no mode of one, reaches what belongs to another: every RPC that takes an id, a page token or a recipient is called with
 * those of others, and answers what it answers for one that does not exist, byte for byte. The RPCs come from the schema. Each is called over
 * every protocol at least once; what there is to try of it otherwise goes over the protocols in turns.
 */
import { isDeepStrictEqual } from "node:util";
import { type DescMethod, getOption, hasOption, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { beforeAll, describe, expect, test } from "vitest";
import { access, Credential, rest as restOption } from "../../gen/byond/v1/access_pb.ts";
import { hasSideEffects } from "../../src/idempotency/idempotency-interceptor.ts";
import { freePrices } from "../capabilities/balance/balance-fixture.ts";
import { Receiver } from "../capabilities/webhooks/receiver.ts";
import { useTestApp } from "../support/app.ts";
import { allMethods } from "../wire/request-messages.ts";
import { type HeaderFields, type RawAnswer, rawProtocols, rest } from "./raw-protocols.ts";
import { type ReferenceField, referenceFieldsOf } from "./reference-fields.ts";
import { openSides, rowsWith, type Side, settle } from "./workspaces.ts";

const app = useTestApp(
  {
    prices: freePrices,
    allowsFixedCodes: true,
    webhookDestinations: { allowedNetworks: [], allowsLoopback: true },
  },
  { sweepIntervalMs: 3_600_000 },
);

const references = (await allMethods()).flatMap(referenceFieldsOf);

/** What requests need besides what they name. */
const otherFields: Readonly<Record<string, JsonObject>> = {
  CheckVerification: { code: "1" },
  ConfirmPasswordReset: { code: "1", new_password: "battery staple correct horse" },
  GetVerificationReport: { group_by: ["api_key"] },
  SetSpendCap: { amount: "25.00", period: "month" },
  StreamEvents: { after: "start" },
  UpdateApiKey: { api_key: { name: "renamed" } },
  UpdateWebhook: { webhook: { description: "changed" } },
};

/** One that calls: a side, and the headers of its credential. */
interface Attacker {
  readonly name: string;
  readonly side: Side | undefined;
  readonly headers: HeaderFields;
}

const ofKey = (side: Side): Attacker => ({ name: `a key of ${side.name}`, side, headers: { "x-api-key": side.key } });
const ofSession = (side: Side): Attacker => ({
  name: `the session of ${side.name}`,
  side,
  headers: { authorization: `Bearer ${side.as.session}`, "byond-mode": side.mode },
});

/** Who of some sides may make a call at all. */
function callersOf(method: DescMethod, sides: readonly Side[]): Attacker[] {
  const { credential, sandbox, byMode } = getOption(method, access);
  const withKeys = credential === Credential.API_KEY ? sides : sides.filter(({ mode }) => sandbox || mode === "live");
  const withSessions = sides.filter(({ mode }) => byMode || mode === "live");
  switch (credential) {
    case Credential.NONE:
      return [{ name: "nobody", side: undefined, headers: {} }];
    case Credential.API_KEY:
      return withKeys.map(ofKey);
    case Credential.SESSION:
      return withSessions.map(ofSession);
    default:
      return [...withKeys.map(ofKey), ...withSessions.map(ofSession)];
  }
}

let victims: readonly Side[];
let attackers: readonly Side[];
beforeAll(async () => {
  const receiver = new Receiver();
  await receiver.start();
  attackers = await openSides(app, "the attacker", receiver.url);
  victims = await openSides(app, "the victim", receiver.url);
  await settle(app);
  receiver.stop();
});

const isSame = (one: Side | undefined, other: Side) => one?.account === other.account && one.mode === other.mode;

/** Whether a side is another's business for a call: of another workspace, or of another mode where the call is about one. */
function isForeign(method: DescMethod, { side, headers }: Attacker, victim: Side): boolean {
  const isAboutMode = getOption(method, access).byMode || "x-api-key" in headers;
  return side?.account !== victim.account || (isAboutMode && !isSame(side, victim));
}

/** The values of a field that a side has. */
function valuesOf({ method, kind }: ReferenceField, side: Side): readonly string[] {
  if (kind === "page") {
    const token = side.pages[method.name];
    if (token === undefined) {
      throw new TypeError(`${method.name} lists: make two of what it lists in workspaces.ts`);
    }
    return [token];
  }
  const values = side.objects[kind] ?? [];
  // A reset is of no workspace: a call that takes a verification does not find it, and the other way around.
  return kind === "vrf" && method.name !== "ConfirmPasswordReset" ? [...values, ...(side.objects.reset ?? [])] : values;
}

const letters = (count: number) =>
  Array.from({ length: count }, (_, index) => "kZ9c1d4f7b2x"[(index * 7) % 12] ?? "").join("");

/** What looks like a value and never was one, as long as it is. */
function nothingLike({ kind }: ReferenceField, value: string): string {
  switch (kind) {
    case "page": {
      // A place in the list at the same time, behind which the same follows.
      const place = Buffer.from(value, "base64url").toString();
      return Buffer.from(place.replace(/[^ _]{1,13}$/, ({ length }) => letters(length))).toString("base64url");
    }
    case "recipient":
      return value.replace(/[a-z]+-\d+@/, (part) => `${letters(part.length - 1).toLowerCase()}@`);
    default:
      return value.slice(0, 4) + letters(value.length - 4);
  }
}

/** The request of a call that names one thing of somebody else, and otherwise what the caller has. */
function requestWith(reference: ReferenceField, attacker: Attacker, value: string): JsonObject {
  const { method, field } = reference;
  const own = references
    .filter((other) => other.method === method && other.field !== field && other.kind !== "page")
    .filter(({ field: { proto } }) => proto.options !== undefined && !proto.proto3Optional)
    .flatMap((other): [string, JsonValue][] => {
      const [ofCaller] = attacker.side === undefined ? [] : valuesOf(other, attacker.side);
      return ofCaller === undefined ? [] : [[other.field.name, ofCaller]];
    });
  return {
    ...otherFields[method.name],
    ...Object.fromEntries(own),
    [field.name]: field.fieldKind === "list" ? [value] : value,
  };
}

/** An answer without the value that was sent, which errors and cursors may repeat. */
const without = ({ status, text }: RawAnswer, value: string): RawAnswer => ({
  status,
  text: text.replaceAll(value, "…"),
});

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
        await work(item);
      }
    }),
  );
}

/** The ids in a text. Those of requests are left out already. */
const idsIn = (text: string) => new Set(text.match(/[a-z]{2,4}_[0-9A-Za-z]{22}/g));

test("every RPC that takes a reference answers of others' as of what does not exist, and changes nothing of theirs", async () => {
  const names = victims.flatMap(({ account, objects }) => [account.workspaceId, ...Object.values(objects).flat()]);
  const modes = attackers.flatMap(({ objects }) => Object.values(objects).flat());
  const before = await rowsWith(app, names);
  const beforeOfModes = await rowsWith(app, modes);
  const idsOfVictims = idsIn(before.join("\n"));
  const attacks = references.flatMap((reference) =>
    callersOf(reference.method, attackers).flatMap((attacker) => {
      const foreign = [...victims, ...attackers].filter((side) => isForeign(reference.method, attacker, side));
      return foreign.flatMap((side) => valuesOf(reference, side)).map((value) => ({ reference, attacker, value }));
    }),
  );
  const protocolsFor = (index: number) =>
    attacks[index]?.reference === attacks[index - 1]?.reference
      ? rawProtocols.filter((_, protocol) => protocol === index % rawProtocols.length)
      : rawProtocols;
  let calls = 0;
  const ofNothing = new Map<string, Promise<RawAnswer>>();
  await inParallel([...attacks.entries()], async ([index, { reference, attacker, value }]) => {
    const { method, field, kind } = reference;
    const nothing = nothingLike(reference, value);
    for (const protocol of protocolsFor(index)) {
      const call = async (sent: string) => {
        calls += 1;
        const request = requestWith(reference, attacker, sent);
        return without(await protocol.call(app.url, method, request, attacker.headers), sent);
      };
      const what = `${method.name} by ${attacker.name} with ${field.name} of ${kind} over ${protocol.name}`;
      const known = `${what}: ${nothing}`;
      const expected = ofNothing.get(known) ?? call(nothing);
      ofNothing.set(known, expected);
      const answer = await call(value);
      expect(answer, `${what}: ${value}`).toEqual(await expected);
      const leaked = [...idsIn(answer.text)].filter((id) => idsOfVictims.has(id));
      expect(attacker.side === undefined || leaked.length === 0, `${what} answered ${leaked}`).toBe(true);
    }
  });
  expect(calls).toBeGreaterThan(attacks.length);
  await settle(app);
  expect(await rowsWith(app, names)).toEqual(before);
  expect(await rowsWith(app, modes)).toEqual(beforeOfModes);
});

test("the header Last-Event-ID takes no event of others either", async () => {
  const streams = references.filter(
    ({ method, field }) =>
      hasOption(method, restOption) && getOption(method, restOption).eventStream?.lastEventId === field.name,
  );
  expect(streams).not.toEqual([]);
  for (const reference of streams) {
    for (const attacker of callersOf(reference.method, attackers)) {
      for (const side of [...victims, ...attackers].filter((other) => isForeign(reference.method, attacker, other))) {
        for (const value of valuesOf(reference, side)) {
          const call = (id: string) =>
            rest.call(
              app.url,
              reference.method,
              {},
              {
                ...attacker.headers,
                accept: "text/event-stream",
                "last-event-id": id,
              },
            );
          const answer = await call(value);
          expect(answer).toEqual(await call(nothingLike(reference, value)));
          expect(answer.status).toBe("404");
        }
      }
    }
  }
});

test("an Idempotency-Key of others is nobody's: neither their answers nor their claims are met", async () => {
  const effects = (await allMethods()).filter(
    (method) =>
      hasSideEffects(method) &&
      method.methodKind === "unary" &&
      referenceFieldsOf(method).length > 0 &&
      getOption(method, access).credential !== Credential.NONE,
  );
  expect(effects.length).toBeGreaterThan(10);
  const pairs = effects.map((method, index) => ({
    method,
    protocol: rawProtocols[index % rawProtocols.length] ?? rest,
  }));
  await inParallel(pairs, async ({ method, protocol }) => {
    const request = Object.assign(
      {},
      otherFields[method.name],
      ...referenceFieldsOf(method).map((reference) => ({
        [reference.field.name]:
          reference.kind === "recipient" ? "nobody@example.com" : `${reference.kind}_${letters(22)}`,
      })),
    );
    const headers = { "idempotency-key": `a key for ${method.name}` };
    const isReplayed = async (caller: Attacker) =>
      (await protocol.call(app.url, method, request, { ...caller.headers, ...headers })).text.includes(
        "idempotent-replayed: true",
      );
    const [owner] = callersOf(method, victims);
    if (owner === undefined) {
      throw new TypeError(`nobody may call ${method.name}`);
    }
    expect(await isReplayed(owner), method.name).toBe(false);
    expect(await isReplayed(owner), `${method.name} repeated by ${owner.name}`).toBe(true);
    for (const other of callersOf(method, [...attackers, ...victims]).filter(({ name }) => name !== owner.name)) {
      expect(await isReplayed(other), `${method.name} by ${other.name}`).toBe(false);
    }
  });
});

describe("whoever owns it gets another answer than for what does not exist", () => {
  /** What ends the existence of what others need comes last. */
  const destructive = /^(Cancel|Delete|Erase|Revoke)/;
  /** The first message of a stream tells nothing of what it will hold, and a reset is not told apart by a wrong code. */
  const tellNothing = new Set(["StreamEvents.subject", "ConfirmPasswordReset.reset_id"]);

  test.each(
    references
      .filter(({ method, field }) => !tellNothing.has(`${method.name}.${field.name}`))
      .toSorted((a, b) => Number(destructive.test(a.method.name)) - Number(destructive.test(b.method.name)))
      .map((reference) => ({ name: `${reference.method.name} by ${reference.field.name}`, reference })),
  )("$name", async ({ reference }) => {
    const [owner] = callersOf(reference.method, victims).filter(
      ({ side }) => side !== undefined && valuesOf(reference, side).length > 0,
    );
    if (owner?.side === undefined) {
      throw new TypeError("make one in workspaces.ts");
    }
    const { side, headers } = owner;
    const call = async (request: JsonObject, sent: string) =>
      without(await rest.call(app.url, reference.method, request, headers), sent);
    const differs: boolean[] = [];
    for (const value of valuesOf(reference, side)) {
      const nothing = nothingLike(reference, value);
      // A page token is a place in a list, and makes another page of it.
      const other =
        reference.kind === "page"
          ? await call({ ...requestWith(reference, owner, value), [reference.field.name]: null }, value)
          : await call(requestWith(reference, owner, nothing), nothing);
      const answer = await call(requestWith(reference, owner, value), value);
      differs.push(answer.status.startsWith("2") && !isDeepStrictEqual(answer, other));
    }
    expect(differs).toContain(true);
  });
});
