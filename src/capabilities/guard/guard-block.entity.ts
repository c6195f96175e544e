import { defineEntity, p } from "@mikro-orm/core";

/** The last block of a range of numbers: in force until it ends. */
export const GuardBlockEntity = defineEntity({
  name: "GuardBlock",
  tableName: "guard_block",
  properties: {
    workspaceId: p.text().primary(),
    /** `+2348031x` */
    numberRange: p.text().primary(),
    /** `gbl_…`, another one for each block. */
    id: p.text(),
    /** Blocks in a row, this one included: each is longer. 0: the range was well again since, or the block was ended by hand. */
    level: p.integer(),
    /** What was seen of the range. */
    started: p.integer(),
    approved: p.integer(),
    startsAt: p.datetime(),
    endsAt: p.datetime(),
  },
});
