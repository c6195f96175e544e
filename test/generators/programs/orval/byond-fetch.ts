/** What the generated functions call instead of `fetch`. They pass the headers of their last argument on. */
export async function byondFetch<T>(path: string, init: RequestInit): Promise<T> {
  const response = await fetch(`${process.env.BYOND_URL}/api/v1${path}`, init);
  const body: unknown = await response.json();
  return { status: response.status, data: body, headers: response.headers } as T;
}
