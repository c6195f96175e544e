/** The health check of the image, which has no curl: exits with 0 if the server on this machine answers `/healthz` with 200. */
import http from "node:http";
import https from "node:https";

const { HOST = "127.0.0.1", PORT = "8080", TLS_CERT } = process.env;

const request = (TLS_CERT ? https : http).get(
  {
    host: HOST === "0.0.0.0" || HOST === "::" ? "127.0.0.1" : HOST,
    port: PORT,
    path: "/healthz",
    // The certificate is for the name that clients use.
    rejectUnauthorized: false,
    timeout: 4_000,
  },
  ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1),
);
request.on("error", () => process.exit(1));
request.on("timeout", () => process.exit(1));
