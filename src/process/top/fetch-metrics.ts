import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isLoopbackHost } from "../../config/loopback-host.ts";
import { readSamples, type Sample } from "./metric-samples.ts";

const timeoutMs = 5_000;

/** Reads the metrics of a server. Throws an `Error` that says why it cannot. */
export async function fetchMetrics(baseUrl: string, token: string | undefined): Promise<Sample[]> {
  const url = new URL(`${baseUrl.replace(/\/+$/, "")}/metrics`);
  const { status, text } = await get(url, token);
  if (status === 404) {
    throw new Error(
      token === undefined
        ? "it shows no metrics (404): set METRICS_TOKEN, for the server and here"
        : "it shows no metrics (404): METRICS_TOKEN is not the server's",
    );
  }
  if (status !== 200) {
    throw new Error(`it answered ${status}`);
  }
  return readSamples(text);
}

function get(url: URL, token: string | undefined): Promise<{ readonly status: number; readonly text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ readonly status: number; readonly text: string }>();
  const options = {
    timeout: timeoutMs,
    headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
    // The certificate is for the public name, and nobody else listens on this machine's port.
    rejectUnauthorized: !isLoopbackHost(url.hostname.replace(/^\[|\]$/g, "")),
  };
  const request = (url.protocol === "https:" ? requestHttps : requestHttp)(url, options, async (response) => {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of response) {
        chunks.push(chunk);
      }
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") });
    } catch (error) {
      reject(error);
    }
  });
  request.on("timeout", () => request.destroy(new Error("no answer in time")));
  request.on("error", reject);
  request.end();
  return promise;
}
