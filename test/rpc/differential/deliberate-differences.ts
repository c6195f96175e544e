/** Where our short way is meant to answer otherwise than Connect's handlers do. Everything else must be the same, byte by byte. */
import { Code } from "@connectrpc/connect";
import type { ErrorCode } from "../../../src/errors.ts";
import type { Outcome } from "./exchange.ts";
import type { Fault, GeneratedRequest } from "./generated-request.ts";

/** A kind of request, and the two answers to it. */
export interface DeliberateDifference {
  readonly name: string;
  /** What the request has. Empty: the request has no fault. Undefined: it says nothing of the request. */
  readonly faults: readonly Fault[] | undefined;
  readonly ours: (ours: Outcome, request: GeneratedRequest) => boolean;
  readonly connects: (connects: Outcome, request: GeneratedRequest) => boolean;
}

/** An error with our detail. */
function refusal(code: Code, error: ErrorCode, text: RegExp): (outcome: Outcome) => boolean {
  return ({ code: wire, info, errorMessage }) =>
    wire === wireCode(code, wire) && info?.code === error && info.message === errorMessage && text.test(errorMessage);
}

/** One of Connect's own errors, which has no detail and a text of its own. */
function bareError(...codes: readonly Code[]): (outcome: Outcome) => boolean {
  return ({ code, info }) => info === undefined && codes.some((each) => wireCode(each, code) === code);
}

const invalidRequest = (text: RegExp) => refusal(Code.InvalidArgument, "invalid_request", text);
const invalidFields = refusal(Code.InvalidArgument, "validation_error", /^One or more fields are invalid\./);
const either =
  (...checks: readonly ((outcome: Outcome) => boolean)[]) =>
  (outcome: Outcome) =>
    checks.some((check) => check(outcome));
const anything = () => true;

const notReadable = invalidRequest(
  /^The message cannot be read as byond\.v1\.\w+(: field [\w.]+|: it is not UTF-8)?\.$/,
);
const notJson = invalidRequest(/^The request body (is not valid JSON|must be a JSON object|is not valid UTF-8)\.$/);
const notCompressed = (encoding: "gzip|br" | "br") =>
  invalidRequest(new RegExp(`^The message is not compressed as it says: (${encoding})\\.$`));

export const deliberateDifferences: readonly DeliberateDifference[] = [
  {
    name: "JSON that cannot be read is refused in our words, and wrong fields are named, all of them",
    faults: [
      "text is cut off",
      "text is not UTF-8",
      "JSON has a member of another kind",
      "JSON has an unknown member",
      "JSON has a member twice",
      "JSON is no object",
    ],
    ours: either(notReadable, notJson, invalidFields),
    connects: bareError(Code.InvalidArgument),
  },
  {
    name: "a binary message that cannot be read is the client's fault, not an internal error",
    faults: ["bytes are cut off", "bytes are random"],
    ours: notReadable,
    connects: bareError(Code.Internal),
  },
  {
    name: "a message that is not compressed as it says is the client's fault, not an internal error",
    faults: ["compression is cut off", "encoding is of another kind"],
    ours: notCompressed("gzip|br"),
    connects: bareError(Code.Internal, Code.InvalidArgument),
  },
  {
    name: "nothing may follow what is compressed; Connect drops what follows brotli",
    faults: ["compression has bytes behind it"],
    ours: notCompressed("gzip|br"),
    connects: anything,
  },
  {
    name: "half a frame is refused in our words; Connect takes the first bytes of its head for no frame",
    faults: ["frame is cut off"],
    ours: invalidRequest(/^The message ends before the length that its frame gives\.$/),
    connects: bareError(Code.InvalidArgument, Code.Unimplemented),
  },
  {
    name: "a frame with unknown flags is refused; Connect ignores them, or takes them for the end of a stream",
    faults: ["frame has unknown flags"],
    ours: invalidRequest(/^The frame of the message has flags that are not known\.$/),
    connects: anything,
  },
  {
    name: "a message that is flagged as compressed while no header says how is refused in our words",
    faults: ["frame is flagged as compressed"],
    ours: either(
      refusal(
        Code.Internal,
        "invalid_request",
        /^The message is flagged as compressed, and its encoding is not given\.$/,
      ),
      // It is flagged as not compressed, and is.
      notReadable,
      notJson,
    ),
    connects: bareError(Code.Internal, Code.InvalidArgument),
  },
  {
    name: "an empty text is no JSON, however it is compressed",
    faults: ["empty message is flagged as compressed"],
    ours: notJson,
    connects: bareError(Code.InvalidArgument),
  },
  {
    name: "no message, and more than one, are refused in our words",
    faults: ["no frame", "two frames"],
    ours: refusal(Code.Unimplemented, "invalid_request", /^The call has (no|more than one) message\.$/),
    connects: bareError(Code.Unimplemented),
  },
  {
    name: "a frame that announces too much is refused in our words",
    faults: ["message is too large"],
    ours: refusal(
      Code.ResourceExhausted,
      "payload_too_large",
      /^The message must not be larger than (65536|262144) bytes\.$/,
    ),
    connects: bareError(Code.ResourceExhausted),
  },
  {
    name: "the parameters of a call by GET are known ones, each once",
    faults: ["query has another parameter"],
    ours: invalidFields,
    connects: anything,
  },
  {
    name: "a query that is not UTF-8 is refused; Connect repairs it",
    faults: ["query is not UTF-8"],
    ours: invalidRequest(/^The query of the request is not percent-encoded UTF-8\.$/),
    connects: anything,
  },
  {
    name: "a query that is not base64 is the client's fault, not an internal error",
    faults: ["query is not base64"],
    ours: invalidRequest(/^The message cannot be read as byond\.v1\.\w+: it is not base64\.$/),
    connects: bareError(Code.Internal),
  },
  {
    name: "what is no call of the RPC is refused with the same status, and explained",
    faults: ["media type is unknown", "query names no encoding", "method is another"],
    ours: (ours) =>
      ours.status === 415
        ? ours.info?.code === "unsupported_media_type" && ours.headers["accept-post"] !== undefined
        : ours.status === 405 && ours.info?.code === "method_not_allowed" && ours.headers.allow !== undefined,
    connects: ({ status, message }) => (status === 415 || status === 405) && message === "",
  },
  {
    name: "an answer that cannot be written is an internal error in the form of all errors",
    // What was odd about the request was read nevertheless, by both.
    faults: undefined,
    ours: refusal(Code.Internal, "internal", /^The server failed to answer\./),
    connects: (connects) =>
      bareError(Code.Internal)(connects) && /^cannot encode message /.test(connects.errorMessage ?? ""),
  },
];

/** The difference that two answers are. Undefined if there is none of that kind. */
export function findDifference(
  request: GeneratedRequest,
  ours: Outcome,
  connects: Outcome,
): DeliberateDifference | undefined {
  // A spelling is no fault: Connect was sent the canonical one.
  const faults = [...request.faults].filter((fault) => fault !== "spelling" && fault !== "deadline is endless");
  return deliberateDifferences.find(
    (difference) =>
      ours.status === expectedStatus(request, ours, connects) &&
      isOf(faults, difference) &&
      difference.ours(ours, request) &&
      difference.connects(connects, request),
  );
}

function isOf(faults: readonly Fault[], difference: DeliberateDifference): boolean {
  if (difference.faults === undefined || faults.length === 0) {
    return difference.faults === undefined || difference.faults.length === 0;
  }
  const known = difference.faults;
  return faults.every((fault) => known.includes(fault));
}

/** Over gRPC and gRPC-Web, errors of calls are answers of status 200; over Connect, the code of the error gives the status. */
function expectedStatus({ protocol }: GeneratedRequest, ours: Outcome, connects: Outcome): number {
  if (connects.status === 405 || connects.status === 415) {
    return connects.status;
  }
  if (protocol !== "connect") {
    return 200;
  }
  return ours.code === "internal" ? 500 : 400;
}

const namesOfCodes = new Map<Code, string>([
  [Code.InvalidArgument, "invalid_argument"],
  [Code.Internal, "internal"],
  [Code.Unimplemented, "unimplemented"],
  [Code.ResourceExhausted, "resource_exhausted"],
]);

/** A code as the protocol of the answer writes it: gRPC by number, Connect by name. */
function wireCode(code: Code, like: string): string {
  return /^\d+$/.test(like) ? String(code) : (namesOfCodes.get(code) ?? "");
}
