#!/usr/bin/env node
/** What `npx byond` runs in the package. Older versions of Node cannot read the rest, so it is loaded after the check only. */
import process from "node:process";

const oldestNode = 24;

if (Number.parseInt(process.versions.node, 10) < oldestNode) {
  console.error(
    `Byond needs Node ${oldestNode} or newer; this is ${process.versions.node}. With one of its own: npx -p node@${oldestNode} -p byond byond`,
  );
  process.exitCode = 1;
} else {
  await import("./main.ts");
}
