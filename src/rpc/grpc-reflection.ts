import {
  createRegistry,
  type DescEnum,
  type DescExtension,
  type DescFile,
  type DescMessage,
  type DescService,
  toBinary,
} from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type HandlerContext } from "@connectrpc/connect";
import { ServerReflection, type ServerReflectionRequest } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import {
  type ServerReflectionRequest as ServerReflectionRequestV1Alpha,
  ServerReflection as ServerReflectionV1Alpha,
} from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { OpenStreams } from "./open-streams.ts";
import { bindService, type ServiceBinding } from "./router.ts";

/** Tools ask one question per service and a few more. */
const maxQuestions = 100;
const maxStreamAgeMs = 60_000;
const maxStreams = 100;
const maxStreamsPerSource = 20;
/** The answer repeats the question, so the question must be short. */
const maxQuestionBytes = 1024;

/** The two versions only differ in their names. */
type AnyRequest = ServerReflectionRequest | ServerReflectionRequestV1Alpha;
type Question = AnyRequest["messageRequest"];

/** The schema, by the names that clients ask for. */
interface Schema {
  readonly serviceNames: readonly string[];
  /** By path: `byond/v1/verify.proto`. */
  readonly files: ReadonlyMap<string, EncodedFile>;
  fileOfSymbol(name: string): EncodedFile | undefined;
  /** `undefined` if there is no such message. */
  extensionsOf(
    typeName: string,
  ): readonly { readonly number: number; readonly file: EncodedFile | undefined }[] | undefined;
}

interface EncodedFile {
  /** A `FileDescriptorProto`. */
  readonly bytes: Uint8Array;
  /** The file itself, then everything that it imports, directly or not. */
  readonly withImports: readonly EncodedFile[];
}

export interface ReflectionOptions {
  /** The services to list, besides reflection itself. */
  readonly services: readonly DescService[];
  /** Files that no service imports but whose messages are sent: the details of errors. */
  readonly details: readonly DescFile[];
  readonly clock: Pick<Clock, "monotonicMs">;
}

/**
 * gRPC server reflection: `buf curl`, `grpcurl` and similar tools can call without the schema. Served under its current name
 * (grpc.reflection.v1) and its old one (v1alpha), the only one that many clients know. No credential is needed, so the cost is
 * bounded: every file is encoded once and sent once per stream, except for the requested one, as the protocol allows. The
 * streams of both names together are limited in number, questions and duration.
 */
export function grpcReflection({ services, details, clock }: ReflectionOptions): readonly ServiceBinding[] {
  // Read for the first question: most servers are never asked.
  let schema: Schema | undefined;
  const streams = new OpenStreams({
    clock,
    max: maxStreams,
    maxPerSource: maxStreamsPerSource,
    maxAgeMs: maxStreamAgeMs,
  });
  async function* serverReflectionInfo<T extends AnyRequest>(requests: AsyncIterable<T>, context: HandlerContext) {
    using stream = streams.enter(context);
    const sent = new Set<EncodedFile>();
    let questions = 0;
    for await (const originalRequest of until(stream.signal, requests)) {
      questions += 1;
      if (questions > maxQuestions) {
        throw ended(`A stream takes ${maxQuestions} questions.`);
      }
      if (toBinary(context.method.input, originalRequest).length > maxQuestionBytes) {
        throw new AppError("invalid_request", `A question must not be larger than ${maxQuestionBytes} bytes.`);
      }
      schema ??= readSchema([...services, ServerReflection, ServerReflectionV1Alpha], details);
      yield {
        validHost: originalRequest.host,
        originalRequest,
        messageResponse: answer(schema, originalRequest.messageRequest, sent),
      };
    }
  }
  return [
    bindService(ServerReflection, { serverReflectionInfo }),
    bindService(ServerReflectionV1Alpha, { serverReflectionInfo }),
  ];
}

/** Yields the questions until the signal aborts, even while it waits for the client. */
async function* until<T>(signal: AbortSignal, questions: AsyncIterable<T>): AsyncIterable<T> {
  const aborted = Promise.withResolvers<never>();
  // Nobody need be waiting when it rejects.
  aborted.promise.catch(() => undefined);
  const abort = () => aborted.reject(ended(`A stream lasts ${maxStreamAgeMs / 1_000} seconds.`));
  signal.addEventListener("abort", abort);
  if (signal.aborted) {
    // For example because the deadline had passed at the start.
    abort();
  }
  const iterator = questions[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted.promise]);
      if (next.done === true) {
        return;
      }
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", abort);
    // Not awaited: it may wait for a question that never comes.
    iterator.return?.().catch(() => undefined);
  }
}

function ended(message: string): AppError {
  return new AppError("rate_limited", `${message} Open another one.`, { retryAfterSeconds: 1 });
}

function readSchema(services: readonly DescService[], details: readonly DescFile[]): Schema {
  const descs = new Set<DescFile>();
  const collect = (file: DescFile) => {
    descs.add(file);
    file.dependencies.forEach(collect);
  };
  services.map((service) => service.file).forEach(collect);
  details.forEach(collect);
  const encoded = encodeFiles(descs);
  const files = new Map(Array.from(encoded, ([desc, file]) => [`${desc.name}.proto`, file]));
  const symbols = new Map<string, EncodedFile>();
  for (const [desc, file] of encoded) {
    for (const name of Array.from(nestedTypes(desc), symbolsOf).flat()) {
      symbols.set(name, file);
    }
  }
  const registry = createRegistry(...descs);
  const extensions = [...registry].filter((type) => type.kind === "extension");
  return {
    serviceNames: services.map((service) => service.typeName),
    files,
    fileOfSymbol: (name) => symbols.get(name),
    extensionsOf(typeName) {
      if (registry.getMessage(typeName) === undefined) {
        return undefined;
      }
      return extensions
        .filter(({ extendee }) => extendee.typeName === typeName)
        .map(({ number, file }) => ({ number, file: encoded.get(file) }));
    },
  };
}

type DescType = DescMessage | DescEnum | DescExtension | DescService;

/** The full names of a type and its members. The values of an enum are in the enum's scope, not below its name. */
function symbolsOf(type: DescType): readonly string[] {
  const { typeName } = type;
  switch (type.kind) {
    case "message":
      return [typeName, ...[...type.fields, ...type.oneofs].map(({ name }) => `${typeName}.${name}`)];
    case "enum": {
      const scope = typeName.slice(0, -type.name.length);
      return [typeName, ...type.values.map(({ name }) => `${scope}${name}`)];
    }
    case "service":
      return [typeName, ...type.methods.map(({ name }) => `${typeName}.${name}`)];
    case "extension":
      return [typeName];
  }
}

function encodeFiles(descs: Iterable<DescFile>): Map<DescFile, EncodedFile> {
  const encoded = new Map<DescFile, EncodedFile & { withImports: EncodedFile[] }>();
  for (const desc of descs) {
    encoded.set(desc, { bytes: toBinary(FileDescriptorProtoSchema, desc.proto), withImports: [] });
  }
  for (const [desc, file] of encoded) {
    const reached = new Set<DescFile>();
    const reach = (next: DescFile) => {
      if (!reached.has(next)) {
        reached.add(next);
        next.dependencies.forEach(reach);
      }
    };
    reach(desc);
    file.withImports.push(...Array.from(reached, (next) => encoded.get(next) ?? []).flat());
  }
  return encoded;
}

function answer(schema: Schema, question: Question, sent: Set<EncodedFile>) {
  switch (question.case) {
    case "listServices":
      return {
        case: "listServicesResponse",
        value: { service: schema.serviceNames.map((name) => ({ name })) },
      } as const;
    case "fileByFilename":
      return fileAnswer(schema.files.get(question.value), sent);
    case "fileContainingSymbol":
      return fileAnswer(schema.fileOfSymbol(question.value.replace(/^\./, "")), sent);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = question.value;
      const extension = schema.extensionsOf(containingType)?.find(({ number }) => number === extensionNumber);
      return fileAnswer(extension?.file, sent);
    }
    case "allExtensionNumbersOfType": {
      const extensionNumber = schema.extensionsOf(question.value)?.map(({ number }) => number);
      if (extensionNumber === undefined) {
        return unknownName();
      }
      return { case: "allExtensionNumbersResponse", value: { baseTypeName: question.value, extensionNumber } } as const;
    }
    case undefined:
      return errorAnswer(Code.InvalidArgument, "the request asks nothing");
  }
}

/** The file and its imports, so that one question is enough, as clients expect. Imports that were already sent are left out. */
function fileAnswer(file: EncodedFile | undefined, sent: Set<EncodedFile>) {
  if (file === undefined) {
    return unknownName();
  }
  const news = file.withImports.filter((next) => next === file || !sent.has(next));
  for (const next of news) {
    sent.add(next);
  }
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto: news.map(({ bytes }) => bytes) } } as const;
}

function unknownName() {
  return errorAnswer(Code.NotFound, "there is no such thing in the schema");
}

function errorAnswer(errorCode: Code, errorMessage: string) {
  return { case: "errorResponse", value: { errorCode, errorMessage } } as const;
}
