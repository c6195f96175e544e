/** The lookup behind Fastify, as its documentation has it: schemas for the query and the answer, and a key looked up by its SHA-256. */
import { createHash } from "node:crypto";
import Fastify from "fastify";
import { lookUp } from "./lookup.mjs";

const hashOf = (key) => createHash("sha256").update(key).digest("hex");
const workspaceByKey = new Map([[hashOf(process.env.API_KEY), "workspace"]]);
const text = { type: "string" };
const textOrNull = { type: "string", nullable: true };

const app = Fastify({ logger: false });
app.addHook("onRequest", async (request, reply) => {
  if (!workspaceByKey.has(hashOf(String(request.headers["x-api-key"])))) {
    return reply.code(401).send({ error: "The key is not valid." });
  }
});
app.get(
  "/api/v1/lookup",
  {
    schema: {
      querystring: {
        type: "object",
        required: ["number"],
        properties: {
          number: { type: "string", minLength: 1, maxLength: 250 },
          country: { type: "string", pattern: "^[A-Za-z]{2}$" },
        },
      },
      response: {
        200: {
          type: "object",
          properties: {
            input: text,
            number_e164: textOrNull,
            valid: { type: "boolean" },
            possible: { type: "boolean" },
            country_code: textOrNull,
            country: textOrNull,
            national_format: textOrNull,
            line_type: text,
            source: text,
            possible_line_types: { type: "array", items: text },
          },
        },
      },
    },
  },
  async (request) => lookUp(request.query.number),
);
console.log(`listening on ${await app.listen({ host: "127.0.0.1", port: 0 })}`);
