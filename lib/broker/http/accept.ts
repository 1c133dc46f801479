/** One media range of an `Accept` header. Parameters other than `q` are ignored. */
interface Range {
  readonly type: string;
  readonly quality: number;
}

/** An element of the list. Its parameters may be quoted strings with commas. */
const ELEMENT = /(?:[^,"]|"(?:[^"\\]|\\.)*")+/g;
const QUALITY = /;[ \t]*q=([01](?:\.\d{0,3})?)[ \t]*(?:;|$)/i;

/**
 * Whether a caller prefers `type` to `defaultType` (RFC 9110, section 12.5.1). The most specific range that matches a
 * type gives its quality. If both have the same, `type` is preferred only if it is named.
 */
export function prefers(accept: string | undefined, type: string, defaultType: string): boolean {
  if (accept === undefined) return false;
  const ranges = (accept.match(ELEMENT) ?? []).map(rangeOf);
  const [wanted, other] = [qualityOf(ranges, type), qualityOf(ranges, defaultType)];
  if (wanted !== other) return wanted > other;
  return wanted > 0 && ranges.some((range) => range.type === type);
}

function rangeOf(element: string): Range {
  const [type = ''] = element.split(';', 1);
  const [, quality = '1'] = QUALITY.exec(element) ?? [];
  return { type: type.trim().toLowerCase(), quality: Number(quality) };
}

function qualityOf(ranges: readonly Range[], type: string): number {
  const fitting = [type, `${type.split('/')[0]}/*`, '*/*'];
  for (const pattern of fitting) {
    const range = ranges.find((each) => each.type === pattern);
    if (range !== undefined) return range.quality;
  }
  return 0;
}
