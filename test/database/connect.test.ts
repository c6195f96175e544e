import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { withClient } from "../../src/database/connect.ts";
import { connectionTo } from "../support/database-address.ts";

test("a connection that the client itself refuses is closed", async () => {
  const server = createServer((socket) => {
    // AuthenticationSASL, with a mechanism that nobody knows.
    const mechanisms = Buffer.from("UNKNOWN\0\0");
    const message = Buffer.alloc(9);
    message.write("R");
    message.writeInt32BE(8 + mechanisms.length, 1);
    message.writeInt32BE(10, 5);
    socket.once("data", () => socket.write(Buffer.concat([message, mechanisms])));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const accepted = once(server, "connection");
  const connection = await connectionTo(`postgres://byond:hunter2@127.0.0.1:${port}/byond`);
  await expect(withClient("tests", connection, async () => undefined)).rejects.toThrow(/SASL/);
  const [socket]: Socket[] = await accepted;
  if (socket?.closed === false) {
    await once(socket.resume(), "close");
  }
  server.close();
});
