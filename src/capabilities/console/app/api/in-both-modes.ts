import { transports } from "./transport.ts";

/** For calls about what live and test have in common: their answers are kept once. */
export const inBothModes = { transport: transports.live };
