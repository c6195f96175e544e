import { invalidFields } from "../errors.ts";

/** Where a page of a list that is sorted by time and id ended. */
export interface PageEnd {
  /** In milliseconds, as which `created_at` is stored. `Date` holds those exactly. */
  readonly createdAt: Date;
  readonly id: string;
}

/** The last millisecond that an answer can tell. */
const maxTime = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

export function formatPageToken({ createdAt, id }: PageEnd): string {
  return Buffer.from(`${createdAt.getTime()} ${id}`).toString("base64url");
}

/** Throws `validation_error` for a token that no list of things with this prefix of ids (`key_`) can have made. */
export function parsePageToken(token: string, idPrefix: string): PageEnd {
  const [, time, id] = /^(\d{1,15}) ([a-z]+_[0-9A-Za-z]{22})$/.exec(Buffer.from(token, "base64url").toString()) ?? [];
  if (id?.startsWith(idPrefix) !== true || Number(time) > maxTime) {
    throw invalidFields({ page_token: "must be the next_page_token of the page before" });
  }
  return { createdAt: new Date(Number(time)), id };
}
