import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { makeCertificate } from "../test/support/certificates.ts";
import { runFolder } from "./processes.ts";

/** A receiver of webhooks over TLS that notes when each event began to arrive. */
export interface WebhookReceiver extends AsyncDisposable {
  readonly url: string;
  /** What a server needs to send to this machine. */
  readonly environment: Readonly<Record<string, string>>;
  /** By the verification of the event: the time of the first byte of its request, in ms since 1970. */
  readonly arrivals: ReadonlyMap<string, number>;
}

/** The time of a request is that at which its head was read, after the handshake of its connection. */
export async function openWebhookReceiver(): Promise<WebhookReceiver> {
  const authority = makeCertificate({ commonName: "bench authority", isAuthority: true });
  const { cert, key } = makeCertificate({ commonName: "receiver", names: ["127.0.0.1"], issuer: authority });
  const authorityPath = join(runFolder, "webhook-authority.pem");
  writeFileSync(authorityPath, authority.cert);
  const arrivals = new Map<string, number>();
  const server = createServer({ cert, key }, async (request, response) => {
    const atMs = performance.timeOrigin + performance.now();
    const { data } = JSON.parse(Buffer.concat(await request.toArray()).toString());
    arrivals.set(data.verification_id, arrivals.get(data.verification_id) ?? atMs);
    response.writeHead(204).end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    environment: { WEBHOOK_ALLOWED_NETWORKS: "127.0.0.0/8", NODE_EXTRA_CA_CERTS: authorityPath },
    arrivals,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
