import type { Mode } from "../../access/caller.ts";
import { defaultLocale, type TemplateChannel, type TemplateContent } from "./compile-template.ts";
import type { StoredTemplate } from "./message-template.entity.ts";

/** The primary key of a template. */
export interface TemplateKey {
  readonly workspaceId: string;
  readonly mode: Mode;
  readonly channel: TemplateChannel;
  /** In canonical form. */
  readonly locale: string;
}

/** A locale in the form that templates are stored under: `pt-BR` for `PT-br`, `he` for `iw`. */
export function canonicalLocale(locale: string): string {
  if (locale.toLowerCase() === defaultLocale) {
    return defaultLocale;
  }
  try {
    return Intl.getCanonicalLocales(locale)[0] ?? locale;
  } catch {
    // Has the form of a tag, and is none.
    return locale.toLowerCase();
  }
}

/** The content of a stored template. */
export function contentOf(row: StoredTemplate): TemplateContent {
  return {
    subject: row.subject ?? undefined,
    text: row.text,
    html: row.html ?? undefined,
    logo: row.logo == null ? undefined : Buffer.from(row.logo).toString("base64"),
    backgroundColor: row.backgroundColor ?? undefined,
    textColor: row.textColor ?? undefined,
    accentColor: row.accentColor ?? undefined,
  };
}

/** The columns that a content fills. */
export function columnsOf({ subject, text, html, logo, ...colors }: TemplateContent) {
  return {
    subject: subject ?? null,
    text,
    html: html ?? null,
    logo: logo === undefined ? null : Buffer.from(logo, "base64"),
    backgroundColor: colors.backgroundColor ?? null,
    textColor: colors.textColor ?? null,
    accentColor: colors.accentColor ?? null,
  };
}
