import { expect, test } from 'vitest';
import type { Route } from '../../../lib/broker/http/call.ts';
import { RouteTable } from '../../../lib/broker/http/route-table.ts';

function tableOf(...routes: (readonly [Route['method'], string])[]): RouteTable {
  const table = new RouteTable();
  for (const [method, path] of routes) table.add({ method, path, handle: async () => undefined });
  return table;
}

test('an address has a route for each method', () => {
  const table = tableOf(['GET', '/things'], ['POST', '/things'], ['GET', '/others']);
  const place = table.find('/things');
  expect(place?.path).toBe('/things');
  expect([...(place?.routes.keys() ?? [])]).toEqual(['GET', 'POST']);
});

test('a parameter is one whole segment, decoded', () => {
  const table = tableOf(['GET', '/things/:thing/parts/:part']);
  expect(table.find('/things/a%20b/parts/%C3%BC')?.params).toEqual({ thing: 'a b', part: '\u00fc' });
  expect(table.find('/things/a%2Fb/parts/c')?.params).toEqual({ thing: 'a/b', part: 'c' });
  expect(table.find('/things/a/b/parts/c')).toBeUndefined();
  expect(table.find('/things//parts/c')).toBeUndefined();
});

test('what is spelled out comes before a parameter', () => {
  const table = tableOf(['GET', '/things/:thing'], ['GET', '/things/all']);
  expect(table.find('/things/all')).toMatchObject({ path: '/things/all', params: {} });
  expect(table.find('/things/some')).toMatchObject({ path: '/things/:thing', params: { thing: 'some' } });
});

test('a parameter has at most 100 characters', () => {
  const table = tableOf(['GET', '/things/:thing']);
  expect(table.find(`/things/${'a'.repeat(100)}`)).toBeDefined();
  expect(table.find(`/things/${'a'.repeat(101)}`)).toBeUndefined();
});

test.each(['/things/%zz', '/nowhere/%zz', '/%'])('%s cannot be decoded', (path) => {
  expect(() => tableOf(['GET', '/things/:thing']).find(path)).toThrow(
    expect.objectContaining({ code: 'INVALID_REQUEST' }),
  );
});

test('a path on the way to an address leads nowhere', () => {
  expect(tableOf(['GET', '/things/:thing/parts']).find('/things/a')).toBeUndefined();
});

test('a parameter has one name, whatever follows it', () => {
  expect(() => tableOf(['GET', '/things/:thing'], ['GET', '/things/:other/parts'])).toThrow('Impossible');
});
