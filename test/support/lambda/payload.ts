/** 6 MiB for an event; an answer may have 100 bytes more. */
const MAX_EVENT_BYTES = 6_291_456;
export const MAX_ANSWER_BYTES = 6_291_556;

/** What became of an invocation: the function's answer, or a failure of its own or of Lambda's. */
export type Answer = { readonly payload: unknown } | { readonly error: FunctionError };

export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
}

export function failed(errorType: string, errorMessage: string): { readonly error: FunctionError } {
  return { error: { errorType, errorMessage } };
}

/** @throws Lambda's refusal of an event that no function gets. */
export function toEvent(event: unknown): string {
  const text = JSON.stringify(event);
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_EVENT_BYTES) return text;
  throw new Error(
    `RequestEntityTooLargeException: ${bytes} byte payload is too large for the RequestResponse invocation type (limit ${MAX_EVENT_BYTES} bytes)`,
  );
}
