import type { DescEnum, DescField, DescMessage } from "@bufbuild/protobuf";
import type { Direction } from "./value-schema.ts";

/**
 * Names of component schemas: type names without the package, with `Input` in requests if responses contain the type too.
 *
 * The message `GetBookResponse` becomes `GetBookReply`: generators of clients name their own wrapper of an operation's response
 * `<OperationId>Response` (oapi-codegen, hey-api), and the code with both does not compile.
 */
export class ComponentNames {
  readonly #responses: ReadonlySet<DescMessage>;
  readonly #owners = new Map<string, string>();

  /** `responses`: the response messages; the messages inside them are added. */
  constructor(responses: Iterable<DescMessage>) {
    this.#responses = reachable(responses);
  }

  ofMessage(message: DescMessage, direction: Direction): string {
    const suffix = direction === "request" && this.#responses.has(message) ? "Input" : "";
    return this.#unique(`${shortName(message)}${suffix}`, message.typeName, message, suffix);
  }

  /** The name of a request's body that has these fields of the message, which are not all. */
  ofBody(message: DescMessage, fields: readonly DescField[]): string {
    const owner = `${message.typeName}: ${fields.map(({ name }) => name).join()}`;
    return this.#unique(shortName(message), owner, message, fields.map(({ name }) => `_${name}`).join(""));
  }

  ofEnum(enumType: DescEnum): string {
    return this.#unique(shortName(enumType), enumType.typeName, enumType, "");
  }

  /** If two types have the same name, the second one keeps its package. */
  #unique(name: string, owner: string, { typeName }: DescMessage | DescEnum, suffix: string): string {
    const known = this.#owners.get(name) ?? owner;
    this.#owners.set(name, known);
    return known === owner ? name : `${typeName.replaceAll(".", "_")}${suffix}`;
  }
}

/** `bookshop.v1.SendBookResponse.Status` → `SendBookStatus`. */
function shortName({ typeName, file }: DescMessage | DescEnum): string {
  const packageName = file.proto.package;
  const bare = packageName === "" ? typeName : typeName.slice(packageName.length + 1);
  const [outer = "", ...nested] = bare.split(".");
  return nested.length === 0
    ? outer.replace(/Response$/, "Reply")
    : [outer.replace(/(Request|Response)$/, ""), ...nested].join("");
}

function reachable(roots: Iterable<DescMessage>): Set<DescMessage> {
  const found = new Set<DescMessage>();
  const pending = [...roots];
  for (let message = pending.pop(); message !== undefined; message = pending.pop()) {
    if (!found.has(message)) {
      found.add(message);
      pending.push(...message.fields.flatMap((field) => field.message ?? []));
    }
  }
  return found;
}
