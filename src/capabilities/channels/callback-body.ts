import { AppError } from "../../errors.ts";
import type { NodeRequest } from "../../server/normalize-request.ts";
import { readFromClient } from "../../server/raw-body.ts";
import type { UnverifiedBody } from "../../server/unverified-bodies.ts";

/** The raw body of a callback, whose signature can be checked only when all of it has arrived. */
export async function readCallbackBody(
  request: NodeRequest,
  arriving: UnverifiedBody,
  maxBytes: number,
): Promise<Buffer> {
  using body = arriving;
  return await Promise.race([readAll(request, body, maxBytes), body.dropped]);
}

async function readAll(request: NodeRequest, body: UnverifiedBody, maxBytes: number): Promise<Buffer> {
  const received = readFromClient<Buffer>(request);
  let length = 0;
  for (let next = await received.next(); next.done !== true; next = await received.next()) {
    length += next.value.length;
    if (length > maxBytes) {
      throw new AppError("payload_too_large", "The report is too large.");
    }
    body.add(next.value);
  }
  return Buffer.concat(body.chunks);
}
