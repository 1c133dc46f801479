/** One of the media ranges of an `Accept` header; parameters other than `q` are of no meaning here. */
interface Range {
  readonly type: string;
  readonly quality: number;
}

/** An element of a list, whose parameters may be quoted strings that hold commas. */
const ELEMENT = /(?:[^,"]|"(?:[^"\\]|\\.)*")+/g;
const QUALITY = /;[ \t]*q=([01](?:\.\d{0,3})?)[ \t]*(?:;|$)/i;

/**
 * Whether a caller would rather have `type` than `usual`, which it gets if it does not say (RFC 9110, section 12.5.1):
 * of the ranges that fit a type the most specific one tells its quality, and of equal qualities the type that is named.
 */
export function prefers(accept: string | undefined, type: string, usual: string): boolean {
  if (accept === undefined) return false;
  const ranges = (accept.match(ELEMENT) ?? []).map(rangeOf);
  const [wanted, other] = [qualityOf(ranges, type), qualityOf(ranges, usual)];
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
