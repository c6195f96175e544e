import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Types of frames (RFC 9113 §6). */
const frameType = { data: 0, headers: 1, resetStream: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 } as const;
const flag = { endStream: 1, ack: 1, endHeaders: 4 } as const;
const prefixBytes = 9;
const largestWindow = 2 ** 31 - 1;
const defaultWindow = 65_535;

/** A call as it is sent: headers that do not depend on the connection, and the message in its frame of gRPC. */
export interface GrpcCall {
  readonly headers: Buffer;
  readonly body: Buffer;
}

/** A unary call over gRPC. */
export function grpcCall(path: string, metadata: Readonly<Record<string, string>>, message: Uint8Array): GrpcCall {
  const headers = {
    ":method": "POST",
    ":scheme": "http",
    ":path": path,
    ":authority": "127.0.0.1",
    "content-type": "application/grpc",
    te: "trailers",
    ...metadata,
  };
  const length = Buffer.alloc(5);
  length.writeUInt32BE(message.length, 1);
  return { headers: Buffer.concat(Object.entries(headers).map(literal)), body: Buffer.concat([length, message]) };
}

/** A header without an index (RFC 7541 §6.2.2), so that a block means the same on every connection and at any time. */
function literal([name, value]: readonly [string, string]): Buffer {
  return Buffer.concat([Buffer.from([0]), string(name), string(value)]);
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > 126) {
    throw new RangeError("a header of the bench is too long");
  }
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function frame(type: number, flags: number, streamId: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const bytes = Buffer.alloc(prefixBytes + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(streamId, 5);
  bytes.set(payload, prefixBytes);
  return bytes;
}

function windowUpdate(increment: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(increment);
  return frame(frameType.windowUpdate, 0, 0, payload);
}

interface Stream {
  readonly resolve: (messageBytes: number) => void;
  readonly reject: (error: Error) => void;
  bytes: number;
}

/**
 * A connection over HTTP/2 in the clear for unary calls of gRPC, many at a time. It reads frames and no headers: a call has succeeded if a message
 * came, since errors of gRPC have none. Node's own client takes as long as a server does.
 */
export class Http2Connection {
  readonly #socket: Socket;
  readonly #streams = new Map<number, Stream>();
  #received: Buffer = Buffer.alloc(0);
  #nextId = 1;
  #unacknowledged = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    const initialWindow = Buffer.alloc(6);
    initialWindow.writeUInt16BE(4);
    initialWindow.writeUInt32BE(largestWindow, 2);
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    socket.write(frame(frameType.settings, 0, 0, initialWindow));
    socket.write(windowUpdate(largestWindow - defaultWindow));
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", (error) => this.#failAll(error));
    socket.on("close", () => this.#failAll(new Error("the server closed the connection")));
  }

  static async open(url: string): Promise<Http2Connection> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, "connect");
    return new Http2Connection(socket);
  }

  /** Resolves to the bytes of the message that came back, its frame included. */
  call({ headers, body }: GrpcCall): Promise<number> {
    const id = this.#nextId;
    this.#nextId += 2;
    return new Promise((resolve, reject) => {
      if (!this.isOpen) {
        reject(new Error("the server closed the connection"));
        return;
      }
      this.#streams.set(id, { resolve, reject, bytes: 0 });
      const head = frame(frameType.headers, flag.endHeaders, id, headers);
      this.#socket.write(Buffer.concat([head, frame(frameType.data, flag.endStream, id, body)]));
    });
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  close(): void {
    this.#streams.clear();
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    let offset = 0;
    while (bytes.length - offset >= prefixBytes) {
      const end = offset + prefixBytes + bytes.readUIntBE(offset, 3);
      if (bytes.length < end) {
        break;
      }
      this.#read(bytes.subarray(offset, end));
      offset = end;
    }
    this.#received = bytes.subarray(offset);
  }

  #read(bytes: Buffer): void {
    const [type, flags] = [bytes[3], bytes[4] ?? 0];
    const id = bytes.readUInt32BE(5) & largestWindow;
    const stream = this.#streams.get(id);
    switch (type) {
      case frameType.data:
      case frameType.headers:
        if (type === frameType.data && stream !== undefined) {
          stream.bytes += bytes.length - prefixBytes;
          this.#acknowledge(bytes.length - prefixBytes);
        }
        if ((flags & flag.endStream) !== 0) {
          this.#streams.delete(id);
          stream?.resolve(stream.bytes);
        }
        break;
      case frameType.settings:
      case frameType.ping:
        if ((flags & flag.ack) === 0) {
          const payload = type === frameType.ping ? bytes.subarray(prefixBytes) : undefined;
          this.#socket.write(frame(type, flag.ack, 0, payload));
        }
        break;
      case frameType.resetStream:
        this.#streams.delete(id);
        stream?.reject(new Error(`the server reset a call: ${bytes.readUInt32BE(prefixBytes)}`));
        break;
      case frameType.goAway:
        this.#failAll(new Error("the server ended the connection"));
        break;
    }
  }

  #acknowledge(count: number): void {
    this.#unacknowledged += count;
    if (this.#unacknowledged > largestWindow / 2) {
      this.#socket.write(windowUpdate(this.#unacknowledged));
      this.#unacknowledged = 0;
    }
  }

  #failAll(error: Error): void {
    for (const { reject } of this.#streams.values()) {
      reject(error);
    }
    this.#streams.clear();
  }
}
