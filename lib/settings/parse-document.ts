import { parseDocument as parseYaml, type YAMLError } from 'yaml';
import { SettingsError } from './problems.ts';

/**
 * Reads YAML or JSON. The parser's messages quote the document, which may hold secrets, so the lines of this error name
 * only position and kind of each mistake.
 */
export function parseDocument(text: string, origin: string): unknown {
  const yaml = parseYaml(text, { merge: true, stringKeys: true });
  const mistakes = [...yaml.errors, ...yaml.warnings];
  if (mistakes.length > 0) {
    throw new SettingsError(mistakes.map((mistake) => `${origin}: ${describe(mistake)}`));
  }
  const document = toPlainData(() => yaml.toJS());
  if (document === undefined) {
    throw new SettingsError([`${origin}: not valid YAML: an alias (*) without its anchor (&), or too many`]);
  }
  return document.value;
}

function describe({ code, linePos }: YAMLError): string {
  const place = linePos === undefined ? '' : ` in line ${linePos[0].line}, column ${linePos[0].col}`;
  return `not valid YAML${place}: ${MEANINGS[code] ?? 'the text makes no sense there'} (${code})`;
}

const MEANINGS: Partial<Record<YAMLError['code'], string>> = {
  BAD_INDENT: 'the indentation is wrong',
  BAD_SCALAR_START: 'a value that begins with this character needs quotes',
  BLOCK_AS_IMPLICIT_KEY: 'two keys in one line, or a value with ": " that needs quotes',
  DUPLICATE_KEY: 'the same key twice',
  MISSING_CHAR: 'a quote, bracket, colon or comma is missing',
  MULTIPLE_DOCS: 'a second document begins',
  TAB_AS_INDENT: 'a tab as indentation',
  TAG_RESOLVE_FAILED: 'a tag (!) is unknown; a value that begins with ! needs quotes',
};

function toPlainData(convert: () => unknown): { readonly value: unknown } | undefined {
  try {
    return { value: convert() };
  } catch {
    return undefined;
  }
}
