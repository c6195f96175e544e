import type { DescEnum, DescMessage } from "@bufbuild/protobuf";
import type { Direction } from "./value-schema.ts";

/** Names for the schemas of types: without their package, and with `Input` for requests where responses have them too. */
export class ComponentNames {
  readonly #responses: ReadonlySet<DescMessage>;
  readonly #owners = new Map<string, string>();

  /** `responses` are the messages that are answers as a whole; what they hold counts with them. */
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

  /** Types of two packages may have the same name: the second one keeps its package. */
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
