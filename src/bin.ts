#!/usr/bin/env node
/** What `npx byond` and the image run. Older versions of Node cannot read the rest, so it is loaded after the check only. */
import { constants } from "node:os";
import process from "node:process";

const oldestNode = 24;

if (Number.parseInt(process.versions.node, 10) < oldestNode) {
  console.error(
    `Byond needs Node ${oldestNode} or newer; this is ${process.versions.node}. With one of its own: npx -p node@${oldestNode} -p byond byond`,
  );
  process.exitCode = 1;
} else {
  // The kernel gives the first process of a container no default actions. This is theirs, until something else handles the signal.
  for (const signal of process.pid === 1 ? (["SIGTERM", "SIGINT"] as const) : []) {
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) {
        process.exit(128 + constants.signals[signal]);
      }
    });
  }
  await import("./main.ts");
}
