import { defineEntity, p } from "@mikro-orm/core";

/** When the next round of each sweep is due. The server that sets the next time runs the round. */
export const SweepEntity = defineEntity({
  name: "Sweep",
  tableName: "sweep",
  properties: {
    name: p.text().primary(),
    nextAt: p.datetime(),
  },
});
