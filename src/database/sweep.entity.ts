import { defineEntity, p } from "@mikro-orm/core";

/** When the next round of each sweep is due. Whoever moves it on does the round. */
export const SweepEntity = defineEntity({
  name: "Sweep",
  tableName: "sweep",
  properties: {
    name: p.text().primary(),
    nextAt: p.datetime(),
  },
});
