/** The largest request that is read, in bytes: as it is sent, and decompressed. */
export const maxMessageBytes = 64 * 1024;
