/**
 * Days of workspaces with and without pumping, on a real server whose clock is moved. `npm run bench -- guard-simulation` prints what the guard
 * found, when, and whom it refused; with `GUARD_PICTURE=<path>` it draws the picture of docs/guides/fraud-guard.md, too.
 */
import { writeFileSync } from "node:fs";
import type { Simulation } from "../row.ts";
import { guardPicture } from "./picture.ts";
import { type Day, simulate } from "./simulate.ts";
import { guardTable } from "./table.ts";
import { ordinaryDays, outageDays, pumpingDays } from "./traffic.ts";

export const guardSimulation: Simulation = {
  name: "guard-simulation",
  title: "The fraud guard on simulated days",
  async run(postgres, note) {
    const days: Day[] = [];
    for (const shapes of [[...pumpingDays(), ...ordinaryDays()], outageDays()]) {
      days.push(...(await simulate(postgres, shapes, note)));
    }
    const { GUARD_PICTURE: picture } = process.env;
    if (picture !== undefined) {
      writeFileSync(picture, guardPicture(days));
    }
    return guardTable(days);
  },
};
