/** Lists of keys: newest first, whole or in pages, with the revoked ones on request. */
import { beforeAll, describe, expect, test } from "vitest";
import { useTestApp } from "../../support/app.ts";

let session: string;
/** Names of the keys, newest first. */
const names: string[] = [];
const idsByName = new Map<string, string>();

const app = useTestApp();
beforeAll(async () => {
  ({ session } = await app.signUp());
  for (let index = 0; index < 25; index++) {
    const { body } = await app.rest("POST", "/api-keys", { session, body: { name: `key ${index}` } });
    idsByName.set(body.name, body.id);
    names.unshift(body.name);
  }
});

interface Page {
  readonly names: string[];
  readonly next: string | null;
}

async function list(query = "", as = session): Promise<Page> {
  const { status, body } = await app.rest("GET", `/api-keys${query}`, { session: as });
  if (status !== 200) {
    throw new Error(`${status} ${JSON.stringify(body)}`);
  }
  return { names: body.keys.map(({ name }: { name: string }) => name), next: body.next_page_token };
}

/** All pages, one after the other. */
async function pages(query: string): Promise<string[][]> {
  const found: string[][] = [];
  let next: string | null = null;
  do {
    const token: string = next === null ? "" : `&page_token=${encodeURIComponent(next)}`;
    const page = await list(`?${query}${token}`);
    found.push(page.names);
    next = page.next;
  } while (next !== null);
  return found;
}

test("without page_size, all keys, newest first, and no next page", async () => {
  expect(await list()).toEqual({ names, next: null });
});

test.each([1, 2, 7, 24, 25, 26, 1000])("pages of %i have every key once, newest first", async (size) => {
  const found = await pages(`page_size=${size}`);
  expect(found.flat()).toEqual(names);
  expect(found.slice(0, -1).every((page) => page.length === size)).toBe(true);
  expect(found.at(-1)).not.toEqual([]);
});

test("keys that were made in the same millisecond are neither lost nor repeated between pages", async () => {
  const other = await app.signUp("Simultaneous");
  const made = await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      app.rest("POST", "/api-keys", { session: other.session, body: { name: `at once ${index}` } }),
    ),
  );
  expect(made.every(({ status }) => status === 201)).toBe(true);
  const found: string[] = [];
  let next: string | null = null;
  do {
    const token: string = next === null ? "" : `&page_token=${next}`;
    const page = await list(`?page_size=1${token}`, other.session);
    found.push(...page.names);
    next = page.next;
  } while (next !== null);
  expect(found).toHaveLength(30);
  expect(new Set(found).size).toBe(30);
});

test("a key that is created or revoked between two pages does not shift the others", async () => {
  const other = await app.signUp("Moving");
  const mint = async (name: string) => {
    const { body } = await app.rest("POST", "/api-keys", { session: other.session, body: { name } });
    return String(body.id);
  };
  const ids = [await mint("1"), await mint("2"), await mint("3"), await mint("4")];
  const first = await list("?page_size=2", other.session);
  expect(first.names).toEqual(["4", "3"]);
  await mint("5");
  await app.rest("DELETE", `/api-keys/${ids[2]}`, { session: other.session });
  const second = await list(`?page_size=2&page_token=${first.next}`, other.session);
  expect(second).toEqual({ names: ["2", "1"], next: null });
});

test("a revoked key is in the list on request only", async () => {
  const id = idsByName.get("key 12");
  expect((await app.rest("DELETE", `/api-keys/${id}`, { session })).status).toBe(200);
  const active = names.filter((name) => name !== "key 12");
  expect((await list()).names).toEqual(active);
  expect((await list("?include_revoked=false")).names).toEqual(active);
  expect((await list("?include_revoked=true")).names).toEqual(names);
  expect((await pages("page_size=10&include_revoked=true")).flat()).toEqual(names);
  expect((await pages("page_size=10")).flat()).toEqual(active);
});

test("keys of another workspace are not listed", async () => {
  const other = await app.signUp("Other");
  expect(await list("?include_revoked=true", other.session)).toEqual({ names: [], next: null });
  // Nor with a token that was made for this one.
  const { next } = await list("?page_size=5");
  expect(await list(`?page_size=5&page_token=${next}`, other.session)).toEqual({ names: [], next: null });
});

describe("a page_token that was not made here", () => {
  const tokens = ["", "x", "AAAA", "../../", "🏦", Buffer.from("1 key_1").toString("base64url")];
  tokens.push(Buffer.from("99999999999999999999 key_0000000000000000000000").toString("base64url"));
  tokens.push(Buffer.from("1 key_0000000000000000000000'; DROP TABLE api_key; --").toString("base64url"));

  test.each(tokens)("%j is refused by name", async (token) => {
    const query = `?page_size=5&page_token=${encodeURIComponent(token)}`;
    const { status, body } = await app.rest("GET", `/api-keys${query}`, { session });
    expect(status).toBe(422);
    expect(body.error.fields).toEqual({ page_token: "must be the next_page_token of the page before" });
  });
});
