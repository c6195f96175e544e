/** The page token of a first page: none. The types of connect-query's `useInfiniteQuery` ask for a text, the server for none. */
export const firstPage = undefined as unknown as string;
