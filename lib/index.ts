export type { BrokerClient, QueryOptions, QueryResult } from './client/broker-client.ts';
export { type ConnectOptions, connect } from './client/connect.ts';
export {
  decimal,
  json,
  list,
  type ParamValue,
  type ParamValues,
  type ScalarValue,
} from './client/params.ts';
export type { BigintForm, JsonForm, RowOf, RowShape } from './client/rows.ts';
export {
  BrokerError,
  type ErrorCode,
  type ErrorDetails,
  type LimitFailure,
  type MysqlFailure,
  type Outcome,
} from './errors.ts';
export type { Column, ColumnType } from './protocol/query.ts';
