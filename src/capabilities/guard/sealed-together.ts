import type { SealedRows } from "../../crypto/master-secret-use.ts";

/** Several kinds of sealed rows as one: a capability has one. */
export function sealedTogether(kinds: readonly SealedRows[]): SealedRows {
  return {
    async describe(database, secret) {
      const sentences: string[] = [];
      for (const kind of kinds) {
        const sentence = await kind.describe(database, secret);
        sentences.push(...(sentence === undefined ? [] : [sentence]));
      }
      return sentences.length === 0 ? undefined : sentences.join("; ");
    },

    async reseal(database, keyring, secret, onProgress) {
      const times: number[] = [];
      for (const kind of kinds) {
        const until = await kind.reseal(database, keyring, secret, onProgress);
        times.push(...(until === undefined ? [] : [until.getTime()]));
      }
      return times.length === 0 ? undefined : new Date(Math.max(...times));
    },

    async erase(database, secret) {
      let erased = 0;
      for (const kind of kinds) {
        erased += await kind.erase(database, secret);
      }
      return erased;
    },
  };
}
