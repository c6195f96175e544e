import type { Interceptor } from "@connectrpc/connect";

export function createValidationInterceptor(): Interceptor {
  return (next) => (request) => next(request);
}
