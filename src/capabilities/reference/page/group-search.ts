import type { OperationGroup } from "./documented-operation.ts";
import type { Field } from "./fields.ts";
import { plainMarkdown } from "./markdown-search.ts";
import type { SearchEntry } from "./reference-page.ts";

/** What the search finds on the page of a group: itself, operations, fields and types of events. */
export function groupEntries({ title, description, operations, events }: OperationGroup): readonly SearchEntry[] {
  const page = { title, place: title, kind: "page", anchor: "", text: plainMarkdown(description) } as const;
  return [
    page,
    ...operations.flatMap((operation): SearchEntry[] => {
      const { id, title: name, method, path, rpc = "", request, response } = operation;
      return [
        {
          title: name,
          place: title,
          kind: "operation",
          anchor: id,
          text: `${method} ${path} ${rpc} ${plainMarkdown(operation.description)}`,
        },
        ...request.flatMap(({ place, fields }) => fieldEntries(fields, `${id}-${place}`, name)),
        ...fieldEntries(response.fields, `${id}-response`, name),
      ];
    }),
    ...events.map(
      ({ id, type, description: text }): SearchEntry => ({
        title: type,
        place: "Types of events",
        kind: "event",
        anchor: id,
        text: plainMarkdown(text),
      }),
    ),
  ];
}

function fieldEntries(fields: readonly Field[], prefix: string, place: string): SearchEntry[] {
  return fields.flatMap(({ name, description, values, children }): SearchEntry[] => {
    const anchor = `${prefix}-${name}`;
    const text = [plainMarkdown(description), ...values.map(({ value }) => value)].join(" ");
    return [{ title: name, place, kind: "field", anchor, text }, ...fieldEntries(children, anchor, place)];
  });
}
