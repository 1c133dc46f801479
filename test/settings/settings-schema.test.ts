import { expect, test } from 'vitest';
import { DESCRIPTIONS } from '../../lib/settings/schema/descriptions.ts';
import { settingsSchema } from '../../lib/settings/schema/settings-schema.ts';

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
}

/** Each setting by its path, with what is said of it. */
function settingsIn(schema: Schema, path = ''): [path: string, description: string | undefined][] {
  const { properties = {}, additionalProperties, anyOf = [] } = schema;
  return [
    ...Object.entries(properties).flatMap(([name, property]): [string, string | undefined][] => {
      const own = path === '' ? name : `${path}.${name}`;
      return [[own, property.description], ...settingsIn(property, own)];
    }),
    ...(typeof additionalProperties === 'object' ? settingsIn(additionalProperties, `${path}.*`) : []),
    ...anyOf.flatMap((form) => settingsIn(form, path)),
  ];
}

const schema = settingsSchema() as Schema;

test('the schema describes each setting, and no description is left of one that is gone', () => {
  const settings = settingsIn(schema);
  expect(settings.filter(([, description]) => description === undefined)).toEqual([]);
  expect(Object.keys(DESCRIPTIONS).toSorted()).toEqual(
    [...new Set(settings.map(([path]) => path))].toSorted(),
  );
});

test('it knows defaults, bounds, choices and the pattern of names, and requires what must be stated', () => {
  expect(schema).toMatchObject({
    required: ['databases'],
    additionalProperties: false,
    properties: {
      databases: {
        propertyNames: { pattern: '^[a-z][a-z0-9-]{0,62}$' },
        additionalProperties: {
          required: ['credentials'],
          properties: {
            tls: { default: 'verify' },
            pool: { properties: { size: { type: 'integer', minimum: 1, default: 10 } } },
          },
        },
      },
      callers: { additionalProperties: { properties: { access: { enum: ['read', 'write', 'admin'] } } } },
    },
  });
});
