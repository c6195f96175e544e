import { createServer } from "node:http";
export async function openOnePort(o: any): Promise<any> {
  const s = createServer(o.onRequest);
  await new Promise<void>((r) => s.listen(o.port, o.host, () => r()));
  const port = (s.address() as any).port;
  return { url: `http://${o.host}:${port}`, close: () => new Promise<void>((r) => { s.close(() => r()); s.closeAllConnections(); }) };
}
