import type { Socket } from "node:net";

export type Protocol = "http1" | "http2";

/** Every HTTP/2 connection begins with this (RFC 9113 §3.4). */
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Recognises the protocol by the first bytes of a connection. Undefined while both are still possible. */
export function recognise(received: Buffer): Protocol | undefined {
  const length = Math.min(received.length, PREFACE.length);
  if (!received.subarray(0, length).equals(PREFACE.subarray(0, length))) return "http1";
  return length === PREFACE.length ? "http2" : undefined;
}

/**
 * Waits for the first bytes of a connection, puts them back and calls `onRecognised`, at most once. Destroys a connection that
 * ends before, or sends too little within `timeoutMs`.
 */
export function sniffProtocol(socket: Socket, timeoutMs: number, onRecognised: (protocol: Protocol) => void): void {
  let received: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(), timeoutMs);

  const stop = () => {
    clearTimeout(timer);
    socket.off("readable", read);
    socket.off("end", end);
    socket.off("close", stop);
  };
  const end = () => socket.destroy();
  const read = () => {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) return;
    received = Buffer.concat([received, chunk]);
    const protocol = recognise(received);
    if (protocol === undefined) return;
    stop();
    socket.unshift(received);
    onRecognised(protocol);
  };
  socket.on("readable", read);
  socket.on("end", end);
  socket.on("close", stop);
}
