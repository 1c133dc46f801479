import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type * as z from 'zod';
import { settingsSchema } from '../../lib/settings/schema/settings-schema.ts';

type Schema = z.core.JSONSchema.JSONSchema;
type Property = readonly [name: string, schema: Schema];

const README = join(import.meta.dirname, '../../lib/settings/README.md');

function propertiesOf(schema: Schema): Property[] {
  const forms = [schema.additionalProperties, ...(schema.anyOf ?? [])].filter(
    (form) => typeof form === 'object',
  );
  const properties = Object.entries(schema.properties ?? {}).flatMap(([name, property]): Property[] =>
    typeof property === 'object' ? [[name, property]] : [],
  );
  return [
    ...properties,
    ...properties.flatMap(([, property]) => propertiesOf(property)),
    ...forms.flatMap((form) => propertiesOf(form)),
  ];
}

describe('README.md of the settings', () => {
  const properties = propertiesOf(settingsSchema());
  let readme: string;

  beforeAll(async () => {
    readme = await readFile(README, 'utf8');
  });

  test('names each of them', () => {
    const written = new Set(readme.match(/\w+/g));
    expect(properties.map(([name]) => name)).toContain('maxBufferedBytes');
    expect(properties.map(([name]) => name).filter((name) => !written.has(name))).toEqual([]);
  });

  test('tells the default of each that has one', () => {
    const lines = readme.split('\n');
    const wrong = properties.filter(([name, { default: value }]) => {
      if (value === undefined || typeof value === 'object') return false;
      return !lines.some((line) => line.includes(name) && line.includes(`\`${String(value)}\``));
    });
    expect(wrong.map(([name]) => name)).toEqual([]);
  });
});
