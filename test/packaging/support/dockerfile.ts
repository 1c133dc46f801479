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
};

/**
 * The stages of a Dockerfile, as far as we can carry them out.
 *
 * @throws {Error} it uses anything else: teach it to these files first, so that nothing goes into the image unseen.
 */
export function parseDockerfile(text: string): Stage[] {
  const stages: { name: string | undefined; base: string; instructions: Instruction[] }[] = [];
  for (const line of logicalLines(text)) {
    const instruction = parseInstruction(line);
    if (instruction.keyword === 'FROM') {
      const { base, name } = /^(?<base>\S+)(?:\s+AS\s+(?<name>\S+))?$/i.exec(instruction.text)?.groups ?? {};
      if (base === undefined) throw unknown(line);
      stages.push({ name, base, instructions: [] });
    } else {
      const stage = stages.at(-1);
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
  if (keyword === 'RUN' ? text.includes('<<') : text.includes('$')) throw unknown(line);
  return { keyword, flags, text };
}

const FLAG = /^--([a-z-]+)=(\S+)\s+/;

function unknown(what: string): Error {
  return new Error(`not an instruction that the tests can carry out: ${what}`);
}
