import type { Html } from "../../../server/html-template.ts";
import type { Heading } from "./markdown-html.ts";
import type { OpenApi } from "./openapi-shape.ts";

/** The parts of the navigation, in their order. */
export const sections = ["Get started", "Guides", "API reference", "Running a server"] as const;

export type Section = (typeof sections)[number];

/** What pages are made of. */
export interface Site {
  /** Public base URL of the server, without a slash at its end. */
  readonly origin: string;
  readonly document: OpenApi;
  /** The values of placeholders in chapters. */
  readonly values: Readonly<Record<string, string>>;
  readonly pages: readonly ReferencePage[];
  /** The path of the library that searches, below `docs/`. */
  readonly miniSearch: string;
}

/** A page of the reference, as HTML and as Markdown. */
export interface ReferencePage {
  /** `/docs/guides/authentication`. */
  readonly path: string;
  readonly title: string;
  /** The title of the window, if another page has the same title. */
  readonly windowTitle?: string;
  /** Where it is in the navigation. Without one, other pages link to it. */
  readonly section?: Section;
  render(site: Site): PageContent | Promise<PageContent>;
  /** Begins with `# ` and the title. */
  markdown(site: Site): string | Promise<string>;
  /** What the search finds on it. */
  entries(site: Site): readonly SearchEntry[] | Promise<readonly SearchEntry[]>;
}

export interface PageContent {
  /** Begins with the `h1`. */
  readonly body: Html;
  /** Those that "On this page" lists, without the `h1`. */
  readonly headings: readonly Heading[];
  /** Whether the page has samples beside its text, and so no room for a list of its headings. */
  readonly isWide?: boolean;
}

export interface SearchEntry {
  readonly title: string;
  /** Where it is, for the reader: the page's title, or the operation. */
  readonly place: string;
  readonly kind: "page" | "section" | "operation" | "field" | "error" | "event";
  /** The anchor, without `#`. Empty: the page itself. */
  readonly anchor: string;
  readonly text: string;
}

/** The path of a page relative to another one, such as `../errors`. `#…` is kept. */
export function relativePath(from: string, to: string): string {
  const [path = "", fragment] = to.split("#");
  const suffix = fragment === undefined ? "" : `#${fragment}`;
  if (path === from) {
    return suffix === "" ? path.slice(path.lastIndexOf("/") + 1) : suffix;
  }
  const base = from.split("/").slice(1, -1);
  const target = path.split("/").slice(1);
  let common = 0;
  while (common < base.length && common < target.length - 1 && base[common] === target[common]) {
    common += 1;
  }
  return [...base.slice(common).map(() => ".."), ...target.slice(common)].join("/") + suffix;
}
