import type { DescEnum, DescMessage } from "@bufbuild/protobuf";
import type { Direction } from "./value-schema.ts";

/** Names of component schemas: type names without the package, with `Input` in requests if responses contain the type too. */
export class ComponentNames {
  readonly #responses: ReadonlySet<DescMessage>;
  readonly #owners = new Map<string, string>();

  /** `responses`: the response messages; the messages inside them are added. */
  constructor(responses: Iterable<DescMessage>) {
    this.#responses = reachable(responses);
  }

  ofMessage(message: DescMessage, direction: Direction): string {
    const suffix = direction === "request" && this.#responses.has(message) ? "Input" : "";
    return this.#unique(`${shortName(message)}${suffix}`, message, suffix);
  }

  ofEnum(enumType: DescEnum): string {
    return this.#unique(shortName(enumType), enumType, "");
  }

  /** If types of two packages have the same name, the second one keeps its package. */
  #unique(name: string, { typeName }: DescMessage | DescEnum, suffix: string): string {
    const owner = this.#owners.get(name) ?? typeName;
    this.#owners.set(name, owner);
    return owner === typeName ? name : `${typeName.replaceAll(".", "_")}${suffix}`;
  }
}

/** `byond.v1.StartVerificationResponse.Status` → `StartVerificationResponseStatus`. */
function shortName({ typeName, file }: DescMessage | DescEnum): string {
  const packageName = file.proto.package;
  const bare = packageName === "" ? typeName : typeName.slice(packageName.length + 1);
  return bare.replaceAll(".", "");
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
