import { errorKinds } from "../../../errors.ts";
import { errorGuide } from "../error-guide.ts";
import type { DocumentedOperation, OperationGroup } from "./documented-operation.ts";
import type { Field } from "./fields.ts";

/** A group of operations as Markdown. `origin` is the server's public address. */
export function groupMarkdown(
  { title, description, operations, events, eventHeaders }: OperationGroup,
  origin: string,
): string {
  return [
    `# ${title}`,
    description,
    ...operations.map((operation) => operationMarkdown(operation, origin)),
    ...(events.length === 0 ? [] : ["## Types of events", `Headers:\n\n${fieldsMarkdown(eventHeaders, true)}`]),
    ...events.map(({ type, description: text, example }) =>
      [`### ${type}`, text, fenced("json", example)].join("\n\n"),
    ),
    "",
  ].join("\n\n");
}

function operationMarkdown(operation: DocumentedOperation, origin: string): string {
  const { title, method, path, rpc, description, credential, request, response, errors, samples } = operation;
  const [sample] = samples;
  return [
    `## ${title}`,
    `\`${method} ${path}\``,
    description,
    [`- Credential: ${credential}`, ...(rpc === undefined ? [] : [`- RPC: \`${rpc}\``])].join("\n"),
    ...request.map((list) => `### ${list.title}\n\n${fieldsMarkdown(list.fields, true)}`),
    `### Response ${response.status}`,
    response.description,
    fieldsMarkdown(response.fields, false),
    ...response.examples.slice(0, 1).map(({ text }) => fenced("json", text)),
    "### Errors",
    errors
      .map(
        (code) =>
          `- ${errorKinds[code].httpStatus} [\`${code}\`](${origin}/docs/errors#${code}): ${errorGuide[code].title}`,
      )
      .join("\n"),
    ...(sample === undefined ? [] : ["### Example", fenced(sample.lang, sample.source)]),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function fieldsMarkdown(fields: readonly Field[], isRequest: boolean, indent = ""): string {
  return fields
    .map(({ name, type, isRequired, isNullable, rules, description, values, children }) => {
      const facts = [
        type,
        ...(isRequest && isRequired ? ["required"] : []),
        ...(isNullable && !isRequest ? ["or null"] : []),
        ...rules,
      ].join(", ");
      const inner = `${indent}  `;
      const text = description.replaceAll("\n", `\n${inner}`);
      return [
        `${indent}- \`${name}\` (${facts})${text === "" ? "" : `: ${text}`}`,
        ...values.map((one) => `${inner}- \`${one.value}\`${one.description === "" ? "" : `: ${one.description}`}`),
        ...(children.length === 0 ? [] : [fieldsMarkdown(children, isRequest, inner)]),
      ].join("\n");
    })
    .join("\n");
}

function fenced(language: string, code: string): string {
  return `\`\`\`${language}\n${code}\n\`\`\``;
}
