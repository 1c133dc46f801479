import type { LocalBroker } from './broker-service.ts';

const AN_ORDER = {
  sql: 'SELECT id, customer_id, product_id, quantity, total, status FROM orders WHERE id = ?',
  params: [42],
};
const A_NEW_ORDER = { customerId: 7, productId: 3, quantity: 2 };
/** Of any database. */
const A_FEW_TYPES = {
  sql: 'SELECT 18446744073709551615 AS big, 1.50 AS price, UTC_TIMESTAMP(6) AS now, 0x00ff AS bytes, NULL AS nothing',
};

/** Lines to paste into a shell, each with what it asks for. */
export function requestsToTry(
  hasDemoData: boolean,
  functionsUrl: string,
  { url: brokerUrl, callerKey }: Pick<LocalBroker, 'url' | 'callerKey'>,
): string {
  const select = hasDemoData ? AN_ORDER : A_FEW_TYPES;
  const tries = [
    {
      about: hasDemoData ? 'An order, by SQL through a function:' : 'Ask through a function:',
      line: curl(`${functionsUrl}/databases/default/query`, select),
    },
    ...(hasDemoData
      ? [{ about: 'Place an order, in a transaction:', line: curl(`${functionsUrl}/orders`, A_NEW_ORDER) }]
      : []),
    {
      about: 'Ask the broker itself:',
      line: curl(`${brokerUrl}/v1/databases/default/query`, select, `authorization: Bearer ${callerKey}`),
    },
  ];
  return tries.map(({ about, line }) => `${about}\n${line}\n`).join('\n');
}

function curl(url: string, body: object, ...more: string[]): string {
  const headers = [...more, 'content-type: application/json'].map((header) => `-H '${header}'`);
  return `curl -s ${url} ${headers.join(' ')} -d '${JSON.stringify(body)}'`;
}
