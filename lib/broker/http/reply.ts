/** A reply that is sent whole. */
export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer | string;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** @param body JSON already. */
export function jsonReply(body: Buffer | string, status = 200): Reply {
  return { status, contentType: JSON_TYPE, body };
}

export function replyOf(value: object, status?: number): Reply {
  return jsonReply(JSON.stringify(value), status);
}
