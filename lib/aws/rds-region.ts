/** `name.id.eu-west-1.rds.amazonaws.com`, and in China `name.id.rds.cn-north-1.amazonaws.com.cn`. */
const RDS_HOST =
  /\.(?:(?<region>[a-z]{2}(?:-[a-z]+)+-\d+)\.rds|rds\.(?<china>cn-[a-z]+-\d+))\.amazonaws\.com(?:\.cn)?$/i;

/** The region in a host name of RDS. A global endpoint names none: a failover moves it to another region. */
export function rdsRegion(host: string): string | undefined {
  const groups = RDS_HOST.exec(host)?.groups;
  return (groups?.region ?? groups?.china)?.toLowerCase();
}
