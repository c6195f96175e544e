import type { Event } from "#gen/byond/v1/event_pb.ts";

export interface EventObject {
  readonly id: string;
  /** What a person recognises it by. */
  readonly about: string;
  /** Its page. */
  readonly path: string | undefined;
}

/** The object of an event. Types that are newer than this page have none. */
export function objectOf({ data }: Event): EventObject {
  const object = data?.object;
  switch (object?.case) {
    case "verification": {
      const { verificationId: id, recipient } = object.value;
      return { id, about: recipient ?? "erased recipient", path: `/verifications/${id}` };
    }
    case "apiKey":
      return { id: object.value.id, about: object.value.name, path: `/keys/${object.value.id}` };
    case "webhook":
      return { id: object.value.id, about: object.value.url, path: `/webhooks/${object.value.id}` };
    case "fixedCode":
      return { id: object.value.id, about: object.value.recipient ?? "erased recipient", path: "/fixed-codes" };
    case "guessing":
      return { id: object.value.id, about: object.value.value, path: undefined };
    case "guardBlock":
      return { id: object.value.id, about: object.value.numberRange, path: "/guard/blocks" };
    case "guardRefusal": {
      const { id, numberRange = "–", verificationId } = object.value;
      return { id, about: numberRange, path: verificationId && `/verifications/${verificationId}` };
    }
    default:
      return { id: "–", about: "–", path: undefined };
  }
}
