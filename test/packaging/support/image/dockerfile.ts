/** One instruction as it is written; `text` lacks the keyword and the flags. */
export interface Instruction {
  readonly keyword: string;
  readonly flags: Readonly<Record<string, string>>;
  readonly text: string;
}

export interface Stage {
  readonly name: string | undefined;
  readonly base: string;
  /** Those after FROM. */
  readonly instructions: readonly Instruction[];
}

const FLAGS: Readonly<Record<string, readonly string[]>> = {
  FROM: ['platform'],
  WORKDIR: [],
  COPY: ['from'],
  RUN: [],
  ENV: [],
  USER: [],
  EXPOSE: [],
  HEALTHCHECK: ['interval', 'timeout', 'retries', 'start-period'],
  CMD: [],
  ARG: [],
};

/**
 * The stages of a Dockerfile, as far as we can carry them out.
 *
 * @param buildArguments In the place of the defaults that ARG lines before the first stage give to names of bases.
 * @throws {Error} it uses anything else: teach it to these files first, so that nothing goes into the image unseen.
 */
export function parseDockerfile(
  text: string,
  buildArguments: Readonly<Record<string, string>> = {},
): Stage[] {
  const bases = new Map<string, string>();
  const stages: { name: string | undefined; base: string; instructions: Instruction[] }[] = [];
  for (const line of logicalLines(text)) {
    const instruction = parseInstruction(line);
    if (instruction.keyword === 'FROM') {
      const { written, name } =
        /^(?<written>\S+)(?:\s+AS\s+(?<name>\S+))?$/i.exec(instruction.text)?.groups ?? {};
      const base = written?.startsWith('$') ? bases.get(written.slice(1)) : written;
      if (base === undefined) throw unknown(line);
      stages.push({ name, base, instructions: [] });
    } else if (instruction.keyword === 'ARG' && stages.length === 0) {
      const { name, base } = /^(?<name>\w+)=(?<base>\S+)$/.exec(instruction.text)?.groups ?? {};
      if (name === undefined || base === undefined) throw unknown(line);
      bases.set(name, buildArguments[name] ?? base);
    } else {
      const stage = instruction.keyword === 'ARG' ? undefined : stages.at(-1);
      if (stage === undefined) throw unknown(line);
      stage.instructions.push(instruction);
    }
  }
  return stages;
}

/** The JSON form, which no shell reads. */
export function parseExecForm(text: string): string[] {
  const words: unknown = text.startsWith('[') ? JSON.parse(text) : undefined;
  if (!Array.isArray(words) || !words.every((word) => typeof word === 'string')) throw unknown(text);
  return words;
}

function logicalLines(text: string): string[] {
  if (/^#\s*(syntax|escape|check)\s*=/im.test(text)) throw unknown('a parser directive');
  return text
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function parseInstruction(line: string): Instruction {
  const [, keyword = '', rest = ''] = /^([A-Za-z]+)\s+(.*)$/.exec(line) ?? [];
  const known = FLAGS[keyword];
  if (known === undefined) throw unknown(line);
  const flags: Record<string, string> = {};
  let text = rest;
  for (let flag = FLAG.exec(text); flag !== null; flag = FLAG.exec(text)) {
    const [whole, name = '', value = ''] = flag;
    if (!known.includes(name)) throw unknown(line);
    flags[name] = value;
    text = text.slice(whole.length);
  }
  // Variables are ours to replace but in a RUN line, and here documents in that one.
  const mayHaveVariables = keyword === 'RUN' || keyword === 'FROM';
  if (mayHaveVariables ? text.includes('<<') : text.includes('$')) throw unknown(line);
  return { keyword, flags, text };
}

const FLAG = /^--([a-z-]+)=(\S+)\s+/;

function unknown(what: string): Error {
  return new Error(`not an instruction that the tests can carry out: ${what}`);
}
