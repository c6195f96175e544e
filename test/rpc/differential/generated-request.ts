/** Requests as they go over the wire, with a list of what is wrong with each. One random number generator makes always the same ones. */
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { type DescMethodUnary, getOption, type Message, toBinary, toJson } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { access, Credential } from "../../../gen/byond/v1/access_pb.ts";
import type { Random } from "../../support/random.ts";
import { generateMessage, tame, wild } from "./generated-message.ts";

/** What is sent is to be decompressed; how well it is compressed means nothing. */
const quickly = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };

/** What may be odd about a request beside its message. */
export type Fault =
  /** A spelling of a header's value that means the same as the canonical one. */
  | "spelling"
  | "text is cut off"
  | "text is not UTF-8"
  | "JSON has a member of another kind"
  | "JSON has an unknown member"
  | "JSON has a member twice"
  | "JSON is no object"
  | "bytes are cut off"
  | "bytes are random"
  | "frame is cut off"
  | "frame has unknown flags"
  | "frame is flagged as compressed"
  | "no frame"
  | "two frames"
  | "compression is cut off"
  | "compression has bytes behind it"
  | "empty message is flagged as compressed"
  | "encoding is unknown"
  | "encoding is of another kind"
  | "deadline is malformed"
  | "deadline is endless"
  | "deadline is over"
  | "media type is unknown"
  | "method is another"
  | "query has another parameter"
  | "query is not UTF-8"
  | "query is not base64"
  | "query names no encoding"
  | "version of the protocol is unknown"
  | "message is too large";

export type WireProtocol = "connect" | "grpc" | "grpc-web";

export interface GeneratedRequest {
  readonly rpc: DescMethodUnary;
  readonly httpVersion: 1 | 2;
  readonly protocol: WireProtocol;
  readonly isJson: boolean;
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The same headers as Connect spells them. */
  readonly canonicalHeaders: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  /** What was encoded. Undefined if the request holds something else. */
  readonly message: Message | undefined;
  readonly faults: ReadonlySet<Fault>;
}

export const validKey = "pk_live_0123456789ab.0123456789abcdefghijklmnopqrstuvwxyzABCDEF";
export const validSession = "a.session.token";

/** A request to one of the RPCs. */
export function generateRequest(
  random: Random,
  rpcs: readonly [DescMethodUnary, ...DescMethodUnary[]],
): GeneratedRequest {
  return new RequestBuilder(random, random.pick(rpcs)).build();
}

class RequestBuilder {
  readonly #random: Random;
  readonly #rpc: DescMethodUnary;
  readonly #faults = new Set<Fault>();
  readonly #headers: Record<string, string> = {};
  readonly #canonical: Record<string, string> = {};
  readonly #protocol: WireProtocol;
  readonly #isJson: boolean;
  readonly #isGet: boolean;

  constructor(random: Random, rpc: DescMethodUnary) {
    this.#random = random;
    this.#rpc = rpc;
    this.#protocol = random.pick(["connect", "connect", "grpc", "grpc-web"]);
    this.#isJson = random.chance(0.5);
    const isReading = rpc.idempotency === IdempotencyLevel.NO_SIDE_EFFECTS;
    this.#isGet = isReading && this.#protocol === "connect" && random.chance(0.5);
  }

  build(): GeneratedRequest {
    const random = this.#random;
    // Only one of these: what is refused first would hide the other one.
    const trouble = random.chance(0.5)
      ? "none"
      : random.pick(["message", "frame", "encoding", "header", "spelling"] as const);
    const { message, bytes } = this.#messageBytes(trouble === "message");
    this.#setCredential();
    this.#setCommonHeaders();
    const encoded = this.#compress(bytes, trouble === "encoding");
    let target = `/${this.#rpc.parent.typeName}/${this.#rpc.name}`;
    let method = "POST";
    let body: Uint8Array | undefined;
    if (this.#isGet) {
      method = "GET";
      target += `?${this.#query(encoded, trouble === "header")}`;
    } else {
      this.#set("content-type", this.#mediaType(), trouble === "spelling");
      body = this.#protocol === "connect" ? encoded.bytes : this.#framed(encoded, trouble === "frame");
    }
    if (trouble === "header") {
      method = this.#headerTrouble(method);
    } else if (random.chance(0.2)) {
      this.#setDeadline(trouble === "spelling");
    }
    return {
      rpc: this.#rpc,
      httpVersion: this.#protocol === "grpc" || random.chance(0.5) ? 2 : 1,
      protocol: this.#protocol,
      isJson: this.#isJson,
      method,
      target,
      headers: this.#headers,
      canonicalHeaders: this.#canonical,
      body,
      message: this.#faults.size === 0 || this.#faults.has("spelling") ? message : undefined,
      faults: this.#faults,
    };
  }

  #set(name: string, value: string, isRespelled = false): void {
    this.#canonical[name] = value;
    this.#headers[name] = value;
    if (isRespelled) {
      this.#headers[name] = respell(this.#random, name, value);
      if (this.#headers[name] !== value) {
        this.#faults.add("spelling");
      }
    }
  }

  #mediaType(): string {
    const format = this.#isJson ? "json" : "proto";
    switch (this.#protocol) {
      case "connect":
        return `application/${format}`;
      default: {
        const type = `application/${this.#protocol}`;
        return !this.#isJson && this.#random.chance(0.5) ? type : `${type}+${format}`;
      }
    }
  }

  #setCredential(): void {
    const chance = this.#random.next();
    if (chance < 0.94) {
      const takesSession = getOption(this.#rpc, access).credential === Credential.SESSION;
      this.#set("authorization", `Bearer ${takesSession ? validSession : validKey}`);
    } else if (chance < 0.96) {
      this.#set("x-api-key", "pk_live_unknown.key");
    } else if (chance < 0.98) {
      this.#set("authorization", "Basic dTpw");
    }
  }

  #setCommonHeaders(): void {
    const random = this.#random;
    if (random.chance(0.2)) {
      this.#set("byond-version", random.pick(["2026-06-15", "2026-06-15", "2026-06-15", "2026-06-15", "1999-01-01"]));
    }
    if (random.chance(0.2)) {
      this.#set("fuzz-own", random.pick(["text", "a, b", "\u00e9", "tab\tin it"]));
    }
    if (random.chance(0.1)) {
      this.#set("byond-envelope", random.pick(["true", "false", "true", "false", "perhaps"]));
    }
    if (random.chance(0.03)) {
      this.#set("idempotency-key", random.pick(["", '"a', "\u00e9"]));
    }
    if (this.#protocol === "connect" && random.chance(0.5)) {
      this.#set("connect-protocol-version", "1");
    }
    if (this.#protocol === "grpc") {
      this.#set("te", "trailers");
    }
    if (random.chance(0.6)) {
      const name = this.#protocol === "connect" ? "accept-encoding" : "grpc-accept-encoding";
      this.#set(name, random.pick(["gzip", "br", "gzip,br", "identity", "br, gzip", "zstd", "*", "", "gzip;q=0"]));
    }
  }

  #setDeadline(isRespelled: boolean): void {
    const random = this.#random;
    if (this.#protocol === "connect") {
      this.#set("connect-timeout-ms", random.pick(["60000", "2147483647", "0000060000"]), isRespelled);
    } else {
      this.#set("grpc-timeout", random.pick(["60S", "1H", "90000000u", "60000m", "99999S"]), isRespelled);
    }
  }

  #messageBytes(isTrouble: boolean): { readonly message: Message; readonly bytes: Buffer } {
    const random = this.#random;
    const message = generateMessage(random, this.#rpc.input, random.chance(0.5) ? tame : wild);
    const binary = Buffer.from(toBinary(this.#rpc.input, message));
    if (!this.#isJson) {
      if (!isTrouble) {
        return { message, bytes: binary };
      }
      if (random.chance(0.5)) {
        this.#faults.add("bytes are cut off");
        return { message, bytes: binary.subarray(0, Math.floor(random.next() * binary.length)) };
      }
      this.#faults.add("bytes are random");
      return { message, bytes: randomBytes(random, 40) };
    }
    const json = this.#jsonOf(message);
    return { message, bytes: isTrouble ? this.#badJson(json) : Buffer.from(JSON.stringify(json)) };
  }

  /** JSON cannot write all that a message can hold. */
  #jsonOf(message: Message): Record<string, unknown> {
    const useProtoFieldName = this.#random.chance(0.5);
    for (const candidate of [
      message,
      generateMessage(this.#random, this.#rpc.input, { missing: 0.2, odd: 0, unknown: 0 }),
    ]) {
      try {
        const json = toJson(this.#rpc.input, candidate, { useProtoFieldName });
        return typeof json === "object" && json !== null ? { ...json } : {};
      } catch {
        this.#faults.delete("spelling");
      }
    }
    return {};
  }

  #badJson(json: Record<string, unknown>): Buffer {
    const random = this.#random;
    const [name = "bogus"] = Object.keys(json);
    switch (Math.floor(random.next() * 7)) {
      case 0: {
        this.#faults.add("text is cut off");
        const text = JSON.stringify(json);
        return Buffer.from(text.slice(0, Math.floor(random.next() * text.length)));
      }
      case 1:
        this.#faults.add("text is not UTF-8");
        return Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0xc3]), Buffer.from('"}')]);
      case 2:
        this.#faults.add("JSON has a member of another kind");
        return Buffer.from(
          JSON.stringify({ ...json, [name]: random.pick([null, true, 1.5, "bogus", [], {}, [[1]], 1e300]) }),
        );
      case 3:
        this.#faults.add("JSON has an unknown member");
        return Buffer.from(JSON.stringify({ ...json, [random.pick(["bogus", "__proto__x", "constructor"])]: 1 }));
      case 4: {
        this.#faults.add("JSON has a member twice");
        const text = JSON.stringify(json);
        return Buffer.from(
          `${text.slice(0, -1)}${text === "{}" ? "" : ","}"${name}":null,"${name}":${JSON.stringify(json[name] ?? 1)}}`,
        );
      }
      case 5:
        this.#faults.add("JSON is no object");
        return Buffer.from(random.pick(["null", "[]", "1", '"text"', "", " ", "\ufeff", "{}{}", "undefined"]));
      default: {
        const text = JSON.stringify(json, null, random.pick([0, 1, "\t"]));
        return Buffer.from(`${random.pick(["", "\ufeff", "\r\n "])}${text}\n`);
      }
    }
  }

  /** The bytes as they are sent, and whether they are compressed. */
  #compress(bytes: Buffer, isTrouble: boolean): { readonly bytes: Buffer; readonly encoding: string | undefined } {
    const random = this.#random;
    if (!isTrouble && random.chance(0.7)) {
      return { bytes, encoding: undefined };
    }
    const encoding = random.pick(["gzip", "br"]);
    const compressed = encoding === "gzip" ? gzipSync(bytes) : brotliCompressSync(bytes, quickly);
    if (!isTrouble) {
      this.#setEncoding(encoding);
      return { bytes: compressed, encoding };
    }
    switch (Math.floor(random.next() * 5)) {
      case 0:
        this.#faults.add("encoding is unknown");
        this.#setEncoding(random.pick(["zstd", "deflate", "gzip, br", "bogus"]));
        return { bytes: compressed, encoding: "zstd" };
      case 1:
        this.#faults.add("encoding is of another kind");
        this.#setEncoding(encoding === "gzip" ? "br" : "gzip");
        return { bytes: compressed, encoding };
      case 2:
        this.#faults.add("compression is cut off");
        this.#setEncoding(encoding);
        // Something is left: no bytes at all are an empty message in every encoding.
        return {
          bytes: compressed.subarray(0, Math.max(compressed.length - 3, Math.min(compressed.length, 1))),
          encoding,
        };
      case 3:
        this.#faults.add("compression has bytes behind it");
        this.#setEncoding(encoding);
        return { bytes: Buffer.concat([compressed, Buffer.from("behind")]), encoding };
      default:
        this.#setEncoding("identity");
        return { bytes, encoding: undefined };
    }
  }

  #encodingInQuery: string | undefined;

  #setEncoding(encoding: string): void {
    if (this.#isGet) {
      this.#encodingInQuery = encoding;
    } else {
      this.#set(this.#protocol === "connect" ? "content-encoding" : "grpc-encoding", encoding);
    }
  }

  #query(encoded: { readonly bytes: Buffer }, isTrouble: boolean): string {
    const random = this.#random;
    const isBase64 = !this.#isJson || this.#encodingInQuery !== undefined || random.chance(0.3);
    const parameters: [string, string][] = [
      ...(random.chance(0.7) ? [pair("connect", "v1")] : []),
      ["encoding", this.#isJson ? "json" : "proto"],
      ...(isBase64 ? [pair("base64", "1")] : []),
      ...(this.#encodingInQuery === undefined ? [] : [pair("compression", this.#encodingInQuery)]),
      ["message", isBase64 ? encoded.bytes.toString(random.pick(["base64", "base64url"])) : encoded.bytes.toString()],
    ];
    let query = new URLSearchParams(parameters).toString();
    if (!isTrouble) {
      return query;
    }
    switch (Math.floor(random.next() * 5)) {
      case 0:
        this.#faults.add("query has another parameter");
        query += random.pick(["&scopes=verify", "&encoding=json", "&message=", "&a"]);
        break;
      case 1:
        this.#faults.add("query is not UTF-8");
        query += "%ff";
        break;
      case 2:
        this.#faults.add("query is not base64");
        query = query.replace(/&?base64=1/, "").replace("message=", "base64=1&message=*!");
        break;
      case 3:
        this.#faults.add("query names no encoding");
        query = query.replace(/encoding=(json|proto)/, random.pick(["encoding=", "encoding=yaml", "Encoding=json"]));
        break;
      default:
        this.#faults.add("version of the protocol is unknown");
        query = `${query.replace(/&?connect=v1/, "")}&connect=v2`;
    }
    return query;
  }

  #framed(
    { bytes, encoding }: { readonly bytes: Buffer; readonly encoding: string | undefined },
    isTrouble: boolean,
  ): Buffer {
    const random = this.#random;
    const flags = encoding === undefined ? 0 : 1;
    const whole = frame(flags, bytes);
    if (!isTrouble) {
      return whole;
    }
    switch (Math.floor(random.next() * 7)) {
      case 0:
        this.#faults.add("frame is cut off");
        return whole.subarray(0, 1 + Math.floor(random.next() * (whole.length - 1)));
      case 1:
        this.#faults.add("frame has unknown flags");
        return frame(flags | random.pick([2, 4, 64, 128]), bytes);
      case 2:
        this.#faults.add("frame is flagged as compressed");
        return frame(encoding === undefined ? 1 : 0, bytes);
      case 3:
        this.#faults.add("no frame");
        return Buffer.alloc(0);
      case 4:
        this.#faults.add("two frames");
        return Buffer.concat([whole, whole]);
      case 5:
        this.#faults.add("empty message is flagged as compressed");
        this.#setEncoding(random.pick(["gzip", "br"]));
        return frame(1, Buffer.alloc(0));
      default: {
        this.#faults.add("message is too large");
        const head = Buffer.from([flags, 0xff, 0xff, 0xff, 0xff]);
        return Buffer.concat([head, bytes]);
      }
    }
  }

  #headerTrouble(method: string): string {
    if (this.#faults.size > 0) {
      return method;
    }
    const random = this.#random;
    const deadline = this.#protocol === "connect" ? "connect-timeout-ms" : "grpc-timeout";
    switch (Math.floor(random.next() * 6)) {
      case 0:
        this.#faults.add("deadline is malformed");
        this.#set(deadline, random.pick(["", "abc", "1x", "-1", "1.5", "123456789012S", "12345678901", "1 S"]));
        return method;
      case 1:
        this.#faults.add("deadline is endless");
        this.#headers[deadline] = this.#protocol === "connect" ? "9999999999" : random.pick(["99999999H", "99999999M"]);
        return method;
      case 2:
        this.#faults.add("deadline is over");
        this.#set(deadline, this.#protocol === "connect" ? "0" : "0m");
        return method;
      case 3:
        this.#faults.add("media type is unknown");
        this.#set(
          "content-type",
          random.pick(["text/plain", "application/xml", "application/connect+json", "application/grpc-web-text", ""]),
        );
        return method;
      case 4:
        this.#faults.add("method is another");
        return random.pick(["PUT", "DELETE", "PATCH", "OPTIONS"]);
      default:
        if (this.#protocol === "connect" && !this.#isGet) {
          this.#faults.add("version of the protocol is unknown");
          this.#set("connect-protocol-version", random.pick(["2", "v1", "one"]));
        }
        return method;
    }
  }
}

function pair(name: string, value: string): [string, string] {
  return [name, value];
}

function frame(flags: number, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

function randomBytes(random: Random, most: number): Buffer {
  return Buffer.from(Array.from({ length: Math.floor(random.next() * most) }, () => Math.floor(random.next() * 256)));
}

/** Another spelling of a header's value (RFC 9110 §5.6.6, §8.3.1). Connect knows some of them. */
function respell(random: Random, name: string, value: string): string {
  if (name !== "content-type") {
    return value;
  }
  return random.pick([
    value.toUpperCase(),
    `${value};charset=utf-8`,
    `${value} ; charset=UTF-8`,
    `${value}; charset="utf-8"`,
    `${value};`,
    ` ${value}`,
  ]);
}
