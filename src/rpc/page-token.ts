import { invalidFields } from "../errors.ts";

/** The last entry of a page, in a list sorted by time and id. */
export interface PageEnd {
  /** `created_at` is stored in milliseconds, which `Date` represents exactly. */
  readonly createdAt: Date;
  readonly id: string;
}

/** The page of a short list that was read whole: newest first, after `after`, `limit` at most. */
export function pageOf<Entry extends PageEnd>(
  entries: readonly Entry[],
  { after, limit }: { readonly after: PageEnd | undefined; readonly limit: number },
): Entry[] {
  return entries
    .filter((entry) => after === undefined || newestFirst(after, entry) < 0)
    .toSorted(newestFirst)
    .slice(0, limit);
}

function newestFirst(a: PageEnd, b: PageEnd): number {
  return b.createdAt.getTime() - a.createdAt.getTime() || (a.id === b.id ? 0 : a.id < b.id ? 1 : -1);
}

/** The last millisecond that an answer can represent. */
const maxTime = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

export function formatPageToken({ createdAt, id }: PageEnd): string {
  return Buffer.from(`${createdAt.getTime()} ${id}`).toString("base64url");
}

/** Throws `validation_error` for a token that cannot come from a list of ids with this prefix (`key_`). */
export function parsePageToken(token: string, idPrefix: string): PageEnd {
  const [, time, id] = /^(\d{1,15}) ([a-z]+_[0-9A-Za-z]{22})$/.exec(Buffer.from(token, "base64url").toString()) ?? [];
  if (id?.startsWith(idPrefix) !== true || Number(time) > maxTime) {
    throw invalidFields({ page_token: "must be the next_page_token of the page before" });
  }
  return { createdAt: new Date(Number(time)), id };
}
