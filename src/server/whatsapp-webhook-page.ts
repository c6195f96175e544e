import { handleWhatsappWebhook, type WhatsappWebhookDependencies } from "../delivery/whatsapp-webhook.ts";
import { AppError, errorKinds } from "../errors.ts";
import { bodyBrokeOff } from "../rpc/access/raw-body.ts";
import type { NodeRequest } from "./request-gate.ts";
import type { Page, PageOutcome } from "./request-handler.ts";

/** Meta sends reports in batches of up to 3 MB. */
const maxBodyBytes = 3 * 1024 * 1024;

/** Of all reports that are arriving, together: who sends one is known only when all of it is there. */
const maxArrivingBytes = 8 * maxBodyBytes;

/** `/webhooks/whatsapp`: where WhatsApp subscribes and reports. */
export function whatsappWebhookPage(deps: WhatsappWebhookDependencies): Page {
  const arriving = { bytes: 0 };
  return async (request, response): Promise<PageOutcome> => {
    try {
      const answer = await handleWhatsappWebhook(deps, {
        method: request.method ?? "",
        query: new URL(request.url ?? "/", "http://localhost").searchParams,
        signature: request.headers["x-hub-signature-256"]?.toString(),
        body: await readBody(request, arriving),
      });
      response.statusCode = answer.status;
      for (const [name, value] of Object.entries(answer.headers)) {
        response.setHeader(name, value);
      }
      response.end(answer.body);
    } catch (error) {
      if (!(error instanceof AppError)) {
        throw error;
      }
      // Without the database, or room, the report cannot be kept: WhatsApp sends it again.
      response.statusCode = errorKinds[error.code].httpStatus;
      response.end();
    }
    return "served";
  };
}

/** With `next` alone: leaving a `for await` loop early would destroy the request, and its answer would have no connection. */
async function readBody(request: NodeRequest, arriving: { bytes: number }): Promise<Buffer> {
  const received = request[Symbol.asyncIterator]();
  const read = () =>
    received.next().catch((cause: unknown) => {
      throw bodyBrokeOff(cause);
    });
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for (let next = await read(); next.done !== true; next = await read()) {
      const chunk: Buffer = next.value;
      length += chunk.length;
      arriving.bytes += chunk.length;
      if (length > maxBodyBytes) {
        throw new AppError("payload_too_large", "The report is too large.");
      }
      if (arriving.bytes > maxArrivingBytes) {
        throw new AppError("unavailable", "Too much is arriving at once.");
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } finally {
    arriving.bytes -= length;
  }
}
