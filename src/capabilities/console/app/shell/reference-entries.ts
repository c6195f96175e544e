import { serverPath } from "../api/server-address.ts";

/** An operation or an error code of the reference. */
export interface ReferenceEntry {
  readonly title: string;
  readonly detail: string;
  /** What follows `/docs` in its address. */
  readonly location: string;
}

interface ErrorCodes {
  readonly "x-extensible-enum": readonly string[];
  /** In the same order. */
  readonly "x-enum-descriptions": readonly string[];
}

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: { readonly ErrorCode: ErrorCodes } };
}

/** The operations and error codes of the server's own OpenAPI document. */
export async function readReferenceEntries(): Promise<readonly ReferenceEntry[]> {
  const document: OpenApi = await (await fetch(`${serverPath}/openapi.json`)).json();
  return [...operationsOf(document), ...errorsOf(document)];
}

function operationsOf({ paths }: OpenApi): readonly ReferenceEntry[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { operationId, summary, tags }]) => {
      const tag = tags?.[0];
      return summary === undefined || tag === undefined
        ? []
        : [
            {
              title: summary,
              detail: `${method.toUpperCase()} ${path}`,
              location: `/api/${tag.toLowerCase().replace(/\W+/g, "-")}#${operationId}`,
            },
          ];
    }),
  );
}

function errorsOf({ components }: OpenApi): readonly ReferenceEntry[] {
  const { "x-extensible-enum": codes, "x-enum-descriptions": titles } = components.schemas.ErrorCode;
  return codes.map((code, index) => ({ title: code, detail: titles[index] ?? "", location: `/errors#${code}` }));
}
