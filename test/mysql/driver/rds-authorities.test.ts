import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { rdsRegion } from '../../../lib/aws/rds-region.ts';
import { rdsAuthorities } from '../../../lib/mysql/driver/rds-ca-bundle.ts';

test.each([
  ['shop.abc123.eu-west-1.rds.amazonaws.com', 'eu-west-1'],
  ['shop.cluster-ro-abc123.us-gov-west-1.rds.amazonaws.com', 'us-gov-west-1'],
  ['SHOP.PROXY-ABC.AP-SOUTHEAST-2.RDS.AMAZONAWS.COM', 'ap-southeast-2'],
  ['shop.abc123.rds.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
  ['shop.global-abc.global.rds.amazonaws.com', undefined],
  ['shop.eu-west-1.rds.amazonaws.com.example.com', undefined],
  ['db.internal', undefined],
  ['127.0.0.1', undefined],
])('the host name %s tells the region %s', (host, region) => {
  expect(rdsRegion(host)).toBe(region);
});

test('a region has its three live CAs and no other', () => {
  const authorities = rdsAuthorities('eu-west-1').map((pem) => new X509Certificate(pem));

  expect(authorities.map(({ subject }) => /CN=(.*)/.exec(subject)?.[1]).toSorted()).toEqual([
    'Amazon RDS eu-west-1 Root CA ECC384 G1',
    'Amazon RDS eu-west-1 Root CA RSA2048 G1',
    'Amazon RDS eu-west-1 Root CA RSA4096 G1',
  ]);
});

test.each([undefined, 'nowhere-1'])('of the region %s are all the CAs that have not expired', (region) => {
  const nowMs = Date.parse('2026-01-01');
  const authorities = rdsAuthorities(region, nowMs).map((pem) => new X509Certificate(pem));

  expect(authorities.length).toBeGreaterThan(80);
  expect(authorities.filter(({ validTo }) => Date.parse(validTo) <= nowMs)).toEqual([]);
});
