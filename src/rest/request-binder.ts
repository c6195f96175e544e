import { create, type DescField, type Message } from "@bufbuild/protobuf";
import { FieldPath } from "./field-path.ts";
import type { ViolationCollector } from "./field-violations.ts";
import { InvalidValue, isRepeated } from "./field-violations.ts";
import type { JsonReader } from "./json/json-reader.ts";
import { jsonFieldName } from "./json/json-style.ts";
import { type Members, membersOf, setField, valueTypeOf } from "./json/value-type.ts";
import { parameterReader } from "./parameter-reader.ts";
import { type QueryParameter, QueryParameters } from "./query-parameters.ts";
import type { BodyValue } from "./read-request-body.ts";
import type { Route } from "./route.ts";
import { updateMaskFromBody } from "./update-mask-from-body.ts";

/** The parts of a request that the fields of its message come from. */
export interface RequestParts {
  readonly variables: readonly (readonly [fieldPath: string, value: string])[];
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly body: BodyValue;
  /** The id of the last event that a reader of server-sent events has received. */
  readonly lastEventId?: string | undefined;
}

/** Builds the request message from the parts; reports invalid ones as violations and leaves them out. */
export type RequestBinder = (parts: RequestParts, violations: ViolationCollector) => Message;

/**
 * Compiles the binder of a route. It reads the body first, then the query, then the path, which takes precedence over both.
 * `lastEventId`: the path to the field for the id of the last event, which takes precedence over all of them.
 */
export function compileRequestBinder(
  route: Route,
  reader: JsonReader,
  lastEventId?: readonly DescField[],
): RequestBinder {
  const { input } = route.method;
  const bindBody = bodyBinder(route, reader);
  const setMask = updateMaskFromBody(route, reader.options.style);
  const parameters = new QueryParameters(route, reader);
  const setVariables = new Map(
    route.pathParameters.map(({ fieldPath, fields }) => [fieldPath, textSetter(fields, reader)]),
  );
  const setLastEventId = lastEventId && textSetter(lastEventId, reader);
  return (parts, violations) => {
    const message = bindBody(parts.body, violations) ?? create(input);
    const members = membersOf(message);
    if (parts.query.length > 0) {
      bindQuery(members, parts.query, parameters, reader, violations);
    }
    for (const [fieldPath, text] of parts.variables) {
      setVariables.get(fieldPath)?.(members, text, violations);
    }
    if (parts.lastEventId !== undefined) {
      setLastEventId?.(members, parts.lastEventId, violations);
    }
    setMask?.(members, parts.body.kind === "json" ? parts.body.json : undefined);
    return message;
  };
}

type BindBody = (body: BodyValue, violations: ViolationCollector) => Message | undefined;

function bodyBinder(route: Route, reader: JsonReader): BindBody {
  const { body, method } = route;
  switch (body.kind) {
    case "none":
      return () => undefined;
    case "message": {
      const read = reader.message(method.input);
      return (value, violations) => {
        switch (value.kind) {
          case "empty":
            return undefined;
          case "json":
            return read(value.json, violations);
          case "bytes":
            return value.httpBody;
        }
      };
    }
    case "field": {
      const { field } = body;
      const read = reader.field(field);
      return (value, violations) => {
        const message = create(method.input);
        if (value.kind === "json") {
          read(value.json, membersOf(message), violations);
        } else if (value.kind === "bytes") {
          setField(membersOf(message), field, value.httpBody);
        }
        return message;
      };
    }
  }
}

type SetText = (members: Members, text: string, violations: ViolationCollector) => void;

/** Compiles what sets a field to the value that a text stands for. */
function textSetter(fields: readonly DescField[], reader: JsonReader): SetText {
  const last = fields.at(-1);
  const read = last && parameterReader(valueTypeOf(last), reader);
  if (last === undefined || read === undefined) {
    throw new TypeError("a path or a header can set fields of one value only");
  }
  const path = new FieldPath(fields.slice(0, -1), last);
  const names = fields.map((field) => jsonFieldName(field, reader.options.style));
  return (members, text, violations) => {
    const value = read(text);
    if (value instanceof InvalidValue) {
      violations.add(value.message, ...names);
    } else {
      path.set(members, value);
    }
  };
}

function bindQuery(
  members: Members,
  query: RequestParts["query"],
  parameters: QueryParameters,
  reader: JsonReader,
  violations: ViolationCollector,
): void {
  const occurrences = new Map<string, number>();
  for (const [name, text] of query) {
    const parameter = parameters.find(name);
    if (typeof parameter === "object") {
      bindOccurrence(members, parameter, text, occurrences, violations);
    } else if (!reader.options.ignoresUnknownFields) {
      if (parameter === undefined) {
        violations.addUnknown(parameters.known, name);
      } else {
        violations.add(parameter, name);
      }
    }
  }
}

/** Binds a parameter as it occurs in a query, with all of its values. */
function bindOccurrence(
  members: Members,
  parameter: QueryParameter,
  text: string,
  occurrences: Map<string, number>,
  violations: ViolationCollector,
): void {
  for (const value of parameter.commaSeparated ? text.split(",") : [text]) {
    const occurrence = occurrences.get(parameter.name) ?? 0;
    occurrences.set(parameter.name, occurrence + 1);
    const problem = bindParameter(members, parameter, value, occurrence);
    if (problem !== undefined) {
      violations.add(problem, parameter.name, ...(parameter.repeated ? [occurrence] : []));
    }
  }
}

/** Binds one value of a parameter. Returns the message of a violation, or undefined. */
function bindParameter(
  members: Members,
  { path, read, repeated }: QueryParameter,
  text: string,
  occurrence: number,
): string | undefined {
  if (occurrence > 0 && !repeated) {
    return isRepeated.message;
  }
  const conflictingOneof = path.conflictingOneof(members);
  if (conflictingOneof !== undefined) {
    return `must not be given together with another of ${conflictingOneof}`;
  }
  const value = read(text);
  if (value instanceof InvalidValue) {
    return value.message;
  }
  if (repeated) {
    path.append(members, value);
  } else {
    path.set(members, value);
  }
  return undefined;
}
