import * as z from 'zod';
import { Settings } from '../settings.ts';
import { DESCRIPTIONS } from './descriptions.ts';

type Schema = z.core.JSONSchema.JSONSchema;

/**
 * The JSON Schema of the settings document, for editors. It allows everything that the broker accepts; only the broker
 * checks rules between settings.
 */
export function settingsSchema(): Schema {
  const schema: Schema = z.toJSONSchema(Settings, { io: 'input', target: 'draft-7' });
  describe(schema, '');
  return { title: 'Settings of serverless-conn-pool-broker', ...schema };
}

/** `*` stands for any name. */
function describe(schema: Schema, path: string): void {
  const description = DESCRIPTIONS[path];
  if (description !== undefined) schema.description = description;
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (typeof property === 'object') describe(property, path === '' ? name : `${path}.${name}`);
  }
  if (typeof schema.additionalProperties === 'object') describe(schema.additionalProperties, `${path}.*`);
  for (const form of schema.anyOf ?? []) {
    if (typeof form === 'object' && form.properties !== undefined) describeForm(form, path);
  }
}

/** One of several forms, which share the description above it. */
function describeForm(form: Schema, path: string): void {
  for (const [name, property] of Object.entries(form.properties ?? {})) {
    if (typeof property === 'object') describe(property, `${path}.${name}`);
  }
}
