/** Each of these must not compile: a line without an error is an error itself. */
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

const client = createClient<paths>();

export const wrongBodies = [
  // @ts-expect-error: the recipient is missing
  () => client.POST("/verify/start", { body: { channel: "email" } }),
  // @ts-expect-error: there is no such channel
  () => client.POST("/verify/start", { body: { channel: "pigeon", recipient: "ada@example.com" } }),
  // @ts-expect-error: there is no such field
  () => client.POST("/verify/start", { body: { channel: "email", recipient: "ada@example.com", colour: "red" } }),
  // @ts-expect-error: not a number
  () => client.POST("/verify/start", { body: { channel: "email", recipient: "ada@example.com", code_length: "6" } }),
  // @ts-expect-error: the parameter is missing
  () => client.GET("/lookup", { params: { query: { country: "SG" } } }),
  // @ts-expect-error: there is no such scope
  () => client.POST("/api-keys", { body: { name: "prod-backend", scopes: ["everything"] } }),
];
