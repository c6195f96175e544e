import { create, type DescField, type Message } from "@bufbuild/protobuf";
import type { JsonReader } from "./json-reader.ts";
import { jsonFieldName } from "./json-style.ts";
import { patchMask } from "./patch-mask.ts";
import { QueryFields } from "./query-field.ts";
import type { BodyValue } from "./read-body.ts";
import { isRepeated, isUnknown, Refusal } from "./refusal.ts";
import type { Route } from "./route.ts";
import { textReader } from "./text-value.ts";
import { getField, isMembers, type Members, membersOf, setField, valueTypeOf } from "./value-type.ts";
import type { ViolationCollector } from "./violations.ts";

/** The parts of a request that fields are bound from. */
export interface RequestParts {
  readonly variables: readonly (readonly [fieldPath: string, value: string])[];
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly body: BodyValue;
}

/** Builds the request message as far as the parts allow, and reports what is wrong with them. */
export type Bind = (parts: RequestParts, violations: ViolationCollector) => Message;

/** Compiles the binding of a route: the body first, then the query, then the path, which beats both. */
export function compileBind(route: Route, reader: JsonReader): Bind {
  const { input } = route.method;
  const bindBody = bodyBinder(route, reader);
  const setMask = patchMask(route, reader.options.style);
  const queryFields = new QueryFields(route, reader);
  const setVariables = new Map(
    route.pathParameters.map(({ fieldPath, fields }) => [fieldPath, pathSetter(fields, reader)]),
  );
  return (parts, violations) => {
    const message = bindBody(parts.body, violations) ?? create(input);
    const members = membersOf(message);
    if (parts.query.length > 0) {
      bindQuery(members, parts.query, queryFields, reader, violations);
    }
    for (const [fieldPath, text] of parts.variables) {
      setVariables.get(fieldPath)?.(members, text, violations);
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

type SetVariable = (members: Members, text: string, violations: ViolationCollector) => void;

function pathSetter(fields: readonly DescField[], reader: JsonReader): SetVariable {
  const last = fields.at(-1);
  const read = last && textReader(valueTypeOf(last), reader);
  if (last === undefined || read === undefined) {
    throw new TypeError("a path can bind scalar fields only");
  }
  const names = fields.map((field) => jsonFieldName(field, reader.options.style));
  return (members, text, violations) => {
    const value = read(text);
    if (value instanceof Refusal) {
      violations.add(value.message, ...names);
    } else {
      setField(descend(members, fields), last, value);
    }
  };
}

function bindQuery(
  members: Members,
  query: RequestParts["query"],
  queryFields: QueryFields,
  reader: JsonReader,
  violations: ViolationCollector,
): void {
  const occurrences = new Map<string, number>();
  for (const [name, text] of query) {
    const parameter = queryFields.find(name);
    if (typeof parameter !== "object") {
      if (!reader.options.ignoresUnknownFields) {
        violations.add(parameter ?? isUnknown.message, name);
      }
      continue;
    }
    const occurrence = occurrences.get(parameter.name) ?? 0;
    occurrences.set(parameter.name, occurrence + 1);
    const steps = parameter.repeated ? [parameter.name, occurrence] : [parameter.name];
    const rival = oneofRival(members, parameter.fields);
    const value = parameter.read(text);
    if (occurrence > 0 && !parameter.repeated) {
      violations.add(isRepeated.message, ...steps);
    } else if (rival !== undefined) {
      violations.add(`must not be given together with another of ${rival}`, ...steps);
    } else if (value instanceof Refusal) {
      violations.add(value.message, ...steps);
    } else {
      setQueryField(members, parameter.fields, parameter.repeated, value);
    }
  }
}

function setQueryField(members: Members, fields: readonly DescField[], repeated: boolean, value: unknown): void {
  const last = fields.at(-1);
  if (last === undefined) {
    return;
  }
  const parent = descend(members, fields);
  if (repeated) {
    const items = parent[last.localName];
    if (Array.isArray(items)) {
      items.push(value);
    }
  } else {
    setField(parent, last, value);
  }
}

/** The message that holds the last of the fields; the messages on the way to it are made where they are unset. */
function descend(members: Members, fields: readonly DescField[]): Members {
  let current = members;
  for (const field of fields.slice(0, -1)) {
    const child = getField(current, field);
    if (isMembers(child)) {
      current = child;
    } else if (field.fieldKind === "message") {
      const made = create(field.message);
      setField(current, field, made);
      current = membersOf(made);
    }
  }
  return current;
}

/** The name of a oneof on the way to the last field that another member was selected in. */
function oneofRival(members: Members, fields: readonly DescField[]): string | undefined {
  let current: unknown = members;
  for (const field of fields) {
    if (!isMembers(current)) {
      return undefined;
    }
    const selected = field.oneof === undefined ? undefined : current[field.oneof.localName];
    if (isMembers(selected) && selected.case !== undefined && selected.case !== field.localName) {
      return field.oneof?.name;
    }
    current = getField(current, field);
  }
  return undefined;
}
