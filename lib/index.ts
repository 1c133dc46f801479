/**
 * What a function bundles: `connect` makes a client of a broker, whose `query`, `batch`, `transaction` and `stream` run
 * SQL on the broker's pooled connections. Failures are `BrokerError`. Nothing of the broker itself is imported here.
 */

export type { BrokerClient, ResultsOf } from './client/broker-client.ts';
export type {
  BatchOptions,
  CallOptions,
  QueryOptions,
  StatementOptions,
  StatementsOptions,
  TransactionOptions,
} from './client/call-options.ts';
export { type ConnectOptions, connect } from './client/connect.ts';
export {
  decimal,
  json,
  list,
  type ParamValue,
  type ParamValues,
  type ScalarValue,
} from './client/params.ts';
export type { Changes, QueryResult } from './client/results.ts';
export type { BigintForm, JsonForm, RowOf, RowShape } from './client/rows.ts';
export type { TransactionStatement } from './client/statements.ts';
export type { Transaction } from './client/transaction/transaction.ts';
export {
  BrokerError,
  type ErrorCode,
  type ErrorDetails,
  type LimitFailure,
  type MysqlFailure,
  type Outcome,
} from './errors.ts';
export type { Column, ColumnType } from './protocol/query.ts';
export type { Isolation } from './protocol/transaction.ts';
