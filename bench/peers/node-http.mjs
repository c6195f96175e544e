/** The lookup behind a bare `node:http` server: no authentication, no checks, no log. */
import { createServer } from "node:http";
import { lookUp } from "./lookup.mjs";

const server = createServer((request, response) => {
  const query = new URLSearchParams(request.url.slice(request.url.indexOf("?")));
  const body = JSON.stringify(lookUp(query.get("number") ?? ""));
  response.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
  response.end(body);
});
server.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
