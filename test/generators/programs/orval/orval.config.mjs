export default {
  byond: {
    input: "openapi.json",
    output: {
      client: "fetch",
      mode: "single",
      target: "client/byond.ts",
      // Adds what is not in the document: the server's address and the credential.
      override: { mutator: { path: "byond-fetch.ts", name: "byondFetch", extension: ".js" } },
    },
  },
};
