import { create, type DescMessage, isMessage } from "@bufbuild/protobuf";
import { type HttpBody, HttpBodySchema } from "./gen/google/api/httpbody_pb.ts";
import type { Route } from "./route.ts";

/** Whether a message type is `google.api.HttpBody`, which is sent as the bytes that it holds. */
function isHttpBody(message: DescMessage | undefined): boolean {
  return message?.typeName === HttpBodySchema.typeName;
}

/** Whether a route takes bytes of any media type as its body. */
export function takesHttpBody({ body, method }: Route): boolean {
  switch (body.kind) {
    case "none":
      return false;
    case "message":
      return isHttpBody(method.input);
    case "field":
      return body.field.fieldKind === "message" && isHttpBody(body.field.message);
  }
}

/** Whether a route answers with bytes of any media type. */
export function answersHttpBody({ method, responseField }: Route): boolean {
  return responseField === undefined
    ? isHttpBody(method.output)
    : responseField.fieldKind === "message" && isHttpBody(responseField.message);
}

/** The message that holds the content of a request. */
export function toHttpBody(bytes: Uint8Array, header: Headers): HttpBody {
  return create(HttpBodySchema, { contentType: header.get("content-type") ?? "", data: bytes });
}

/** The content that a message holds; empty where it is unset. */
export function fromHttpBody(value: unknown): { type: string; bytes: Uint8Array } {
  const isSet = isMessage(value, HttpBodySchema);
  return {
    type: isSet && value.contentType !== "" ? value.contentType : "application/octet-stream",
    bytes: isSet ? value.data : new Uint8Array(),
  };
}
