import type { DescField, JsonValue } from "@bufbuild/protobuf";
import { useQuery } from "@tanstack/react-query";
import { serverPath } from "../../api/server-address.ts";
import { type Operation, type OperationGroup, operationGroups } from "./operations.ts";

/** What the server's OpenAPI document says of a field of a request. */
export interface FieldDocs {
  readonly description?: string;
  readonly example?: JsonValue;
  /** All values that an element of the list can have. */
  readonly choices?: readonly string[];
}

/** What the document says of operations. Without the document, names stand in for titles. */
export interface ApiDocs {
  title(operation: Operation): string;
  groupTitle(group: OperationGroup): string;
  /** The first paragraph. */
  description(operation: Operation): string | undefined;
  /** The place in the reference. */
  link(operation: Operation): string;
  field(operation: Operation, field: DescField): FieldDocs;
}

interface Schema {
  readonly description?: string;
  readonly examples?: readonly JsonValue[];
  readonly enum?: readonly string[];
  readonly items?: Schema;
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
}

interface Parameter {
  readonly name?: string;
  readonly description?: string;
  readonly example?: JsonValue;
}

interface DocumentedOperation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> };
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** The documentation of the operations. Undefined until it is known whether it can be had. */
export function useApiDocs(): ApiDocs | undefined {
  const { data, isPending } = useQuery({
    queryKey: ["openapi.json"],
    queryFn: readDocs,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return data ?? (isPending ? undefined : undocumented);
}

async function readDocs(): Promise<ApiDocs> {
  const document: OpenApi = await (await fetch(`${serverPath}/openapi.json`)).json();
  return docsOf(document);
}

const undocumented: ApiDocs = docsOf({ paths: {}, components: { schemas: {} } });

function docsOf({ paths, components }: OpenApi): ApiDocs {
  const found = new Map(
    Object.values(paths).flatMap((methods) =>
      Object.values(methods).map((documented) => [documented.operationId, documented] as const),
    ),
  );
  const find = ({ method }: Operation) => found.get(method.localName);
  return {
    title: (operation) => find(operation)?.summary ?? words(operation.method.name),
    groupTitle: ({ service, operations }) =>
      operations.map((operation) => find(operation)?.tags?.[0]).find((tag) => tag !== undefined) ??
      words(service.name.replace(/Service$/, "")),
    description: (operation) => find(operation)?.description?.split("\n\n")[0],
    link(operation) {
      const { operationId, tags: [tag] = [] } = find(operation) ?? {};
      return operationId === undefined || tag === undefined
        ? `${serverPath}/docs`
        : `${serverPath}/docs/api/${tag.toLowerCase().replace(/\W+/g, "-")}#${operationId}`;
    },
    field(operation, field) {
      const documented = find(operation);
      const body = documented?.requestBody?.content?.["application/json"]?.schema;
      const schema = (components.schemas[field.parent.name] ?? body)?.properties?.[field.name];
      const parameter = documented?.parameters?.find(({ name }) => name === field.name);
      const items = schema?.items;
      const choices = (components.schemas[items?.$ref?.split("/").at(-1) ?? ""] ?? items)?.enum;
      const description = schema?.description ?? parameter?.description;
      const example = schema?.examples?.[0] ?? parameter?.example;
      return {
        ...(description !== undefined && { description }),
        ...(example !== undefined && { example }),
        ...(choices !== undefined && { choices }),
      };
    },
  };
}

/** `StartVerification` → `Start verification`. */
function words(name: string): string {
  const spaced = name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return spaced.slice(0, 1).toUpperCase() + spaced.slice(1);
}

/** All titles by operation, for lists. */
export function titledGroups(docs: ApiDocs) {
  return operationGroups.map((group) => ({
    title: docs.groupTitle(group),
    operations: group.operations.map((operation) => ({ operation, title: docs.title(operation) })),
  }));
}
