/**
 * Where the server is: the console is below `/console` of it, and a proxy may have put both below another path. Scripts are in `console/assets`; while
 * the console is written, Vite serves them at `/`.
 */
export const serverPath: string = import.meta.env.DEV
  ? ""
  : new URL(/* @vite-ignore */ "../..", import.meta.url).pathname.replace(/\/$/, "");

/** The path that the console's own paths begin with. */
export const consolePath: string = `${serverPath}/console`;

/** The address to call. */
export const serverUrl: string = `${location.origin}${serverPath}`;
