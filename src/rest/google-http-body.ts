import { create, type DescMessage, isMessage } from "@bufbuild/protobuf";
import { type HttpBody, HttpBodySchema } from "./gen/google/api/httpbody_pb.ts";
import { ResponseContent } from "./http-response.ts";
import type { Route } from "./route.ts";

/** Whether a message type is `google.api.HttpBody`, which is sent as its raw bytes. */
function isHttpBody(message: DescMessage | undefined): boolean {
  return message?.typeName === HttpBodySchema.typeName;
}

/** Whether the request body of a route is raw bytes of any media type. */
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

/** Whether the response of a route is raw bytes of any media type. */
export function answersHttpBody({ method, responseField }: Route): boolean {
  return responseField === undefined
    ? isHttpBody(method.output)
    : responseField.fieldKind === "message" && isHttpBody(responseField.message);
}

/** The message for the content of a request. */
export function toHttpBody(bytes: Uint8Array, header: Headers): HttpBody {
  return create(HttpBodySchema, { contentType: header.get("content-type") ?? "", data: bytes });
}

/** The content of a message; empty if it is unset. */
export function fromHttpBody(value: unknown): ResponseContent {
  const isSet = isMessage(value, HttpBodySchema);
  const type = isSet && value.contentType !== "" ? value.contentType : "application/octet-stream";
  return new ResponseContent(type, isSet ? value.data : new Uint8Array());
}
