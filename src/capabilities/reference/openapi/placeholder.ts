/** The address that `gen/openapi.json` has. Whoever serves the document puts the live one in its place. */
export const placeholderOrigin = "http://127.0.0.1:8080";
