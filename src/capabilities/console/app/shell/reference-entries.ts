import { serverPath } from "../api/server-address.ts";

/** An operation or an error code of the reference. */
export interface ReferenceEntry {
  readonly title: string;
  readonly detail: string;
  /** What follows `/docs` in its address. */
  readonly fragment: string;
}

interface ErrorSchema {
  readonly properties?: {
    readonly error?: {
      readonly properties?: { readonly code?: { readonly "x-enum-descriptions"?: Readonly<Record<string, string>> } };
    };
  };
}

interface OpenApi {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly summary?: string; readonly tags?: readonly string[] }>>>
  >;
  readonly components: { readonly schemas: Readonly<Record<string, ErrorSchema>> };
}

/** The operations and error codes of the server's own OpenAPI document. */
export async function readReferenceEntries(): Promise<readonly ReferenceEntry[]> {
  const document: OpenApi = await (await fetch(`${serverPath}/openapi.json`)).json();
  return [...operationsOf(document), ...errorsOf(document)];
}

function operationsOf({ paths }: OpenApi): readonly ReferenceEntry[] {
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

/** Each status has a schema that lists its codes, with their titles. */
function errorsOf({ components }: OpenApi): readonly ReferenceEntry[] {
  return Object.values(components.schemas).flatMap(({ properties }) =>
    Object.entries(properties?.error?.properties?.code?.["x-enum-descriptions"] ?? {}).map(([code, title]) => ({
      title: code,
      detail: title,
      fragment: `/errors#${code}`,
    })),
  );
}
