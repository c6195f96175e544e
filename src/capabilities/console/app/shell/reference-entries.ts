import { serverPath } from "../api/server-address.ts";

/** An operation or an error code of the reference. */
export interface ReferenceEntry {
  readonly title: string;
  readonly detail: string;
  /** What follows `/docs` in its address. */
  readonly fragment: string;
}

interface OpenApi {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly summary?: string; readonly tags?: readonly string[] }>>>
  >;
}

/** The operations of the server's own OpenAPI document. */
export async function readReferenceEntries(): Promise<readonly ReferenceEntry[]> {
  const { paths }: OpenApi = await (await fetch(`${serverPath}/openapi.json`)).json();
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { summary, tags }]) => {
      const tag = tags?.[0];
      return summary === undefined || tag === undefined
        ? []
        : [
            {
              title: summary,
              detail: `${method.toUpperCase()} ${path}`,
              fragment: `#tag/${tag.toLowerCase().replace(/\W+/g, "-")}/${method.toUpperCase()}${path}`,
            },
          ];
    }),
  );
}
