/** Requests that fit the document of the API, made out of nothing but the document. */
import fc from "fast-check";
import type { DocumentReader, Operation, Schema } from "./openapi-document.ts";
import { rulesInWordsOf } from "./rules-in-words.ts";
import { isSchemas, type Members, namesOf, resolve, SchemaArbitraries, schemaOf } from "./schema-arbitrary.ts";

/** A request by where its members are: parameters by what OpenAPI calls `in`, and the body. */
export interface DrawnRequest {
  readonly path: Members;
  readonly query: Members;
  readonly header: Members;
  readonly body: Members | undefined;
}

export const parts = ["path", "query", "header", "body"] as const;
export type Part = (typeof parts)[number];

/** The schema of an object. */
export interface ObjectSchema extends Schema {
  readonly properties: Readonly<Record<string, Schema>>;
  readonly required: readonly string[];
}

/** What an operation takes, and requests that it takes. */
export class OperationRequests {
  readonly #operation: Operation;
  readonly #arbitraries: SchemaArbitraries;
  /** Each part as an object, the parameters of a kind as its members. Without the body where the operation takes none. */
  readonly schemas: Readonly<Partial<Record<Part, ObjectSchema>>>;
  /** What the document shows. */
  readonly example: DrawnRequest;
  readonly takesNothing: boolean;

  constructor(reader: DocumentReader, operation: Operation) {
    const { schemas } = reader.document.components;
    const parameters = reader.parameters(operation);
    const content = operation.requestBody?.content["application/json"];
    const body = content && resolve(content.schema, schemas);
    const ofKind = (kind: Part) => parameters.filter((parameter) => parameter.in === kind);
    const asObject = (kind: Part) => ({
      type: "object",
      properties: Object.fromEntries(
        ofKind(kind).map(({ name, schema, description }) => [name, { ...schema, description }]),
      ),
      required: ofKind(kind).flatMap(({ name, required }) => (required === true ? [name] : [])),
      additionalProperties: false,
    });
    const exampleOf = (kind: Part) =>
      Object.fromEntries(ofKind(kind).flatMap(({ name, required, example }) => (required ? [[name, example]] : [])));
    this.#operation = operation;
    this.#arbitraries = new SchemaArbitraries(schemas);
    this.schemas = {
      path: asObject("path"),
      query: asObject("query"),
      header: asObject("header"),
      ...(body === undefined
        ? {}
        : { body: { ...body, properties: propertiesOf(body), required: namesOf(body.required) } }),
    };
    this.example = {
      path: exampleOf("path"),
      query: exampleOf("query"),
      header: exampleOf("header"),
      body: content === undefined ? undefined : schemaOf(content.example),
    };
    this.takesNothing = parameters.length === 0 && body === undefined;
  }

  /** Requests that fit, those rules kept to that the document has no keywords for. */
  fitting(): fc.Arbitrary<DrawnRequest> {
    const bodies = this.schemas.body === undefined ? fc.constant(undefined) : this.#members("body");
    const isRequired = this.#operation.requestBody?.required === true;
    return fc
      .record({
        path: this.#members("path"),
        query: this.#members("query"),
        header: this.#members("header"),
        body: isRequired ? bodies : fc.option(bodies, { nil: undefined }),
      })
      .chain((drawn) =>
        this.#keepingRules(drawn.body ?? {}, drawn.path).chain((body) =>
          this.#keepingRules(drawn.query, { ...drawn.path, ...body }).map((query) => ({
            ...drawn,
            query,
            body: drawn.body === undefined ? undefined : body,
          })),
        ),
      );
  }

  #members(part: Part): fc.Arbitrary<Members> {
    const { properties = {}, required = [] } = this.schemas[part] ?? {};
    return this.#arbitraries.members(properties, required);
  }

  /** The members, with those drawn anew that a rule beyond the schema is about. `others` are those of other parts. */
  #keepingRules(members: Members, others: Members): fc.Arbitrary<Members> {
    const { operationId } = this.#operation;
    return Object.keys(members).reduce<fc.Arbitrary<Members>>((arbitrary, name) => {
      const [rule] = members[name] === null ? [] : rulesInWordsOf(operationId, name);
      return rule === undefined
        ? arbitrary
        : arbitrary.chain(({ [name]: _, ...rest }) =>
            rule
              .draw({ ...others, ...rest }, operationId)
              .map((value) => (value === undefined ? rest : { ...rest, [name]: value })),
          );
    }, fc.constant(members));
  }
}

function propertiesOf({ properties }: Schema): Readonly<Record<string, Schema>> {
  return isSchemas(properties) ? properties : {};
}
