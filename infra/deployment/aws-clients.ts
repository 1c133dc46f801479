import { createRequire } from 'node:module';
import { SecretsManager, type SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import { omitNodeWarning } from '../../lib/aws/load-sdk.ts';

/** Region and credentials, as osls or the SDK itself finds them. */
export interface AwsConfig {
  readonly region: string;
  readonly credentials?: NonNullable<SecretsManagerClientConfig['credentials']>;
}

/** What is asked of ECR. */
interface EcrClient {
  describeImages(input: {
    readonly repositoryName: string;
    readonly imageIds: readonly { readonly imageTag: string }[];
  }): Promise<unknown>;
  getAuthorizationToken(input: object): Promise<{
    readonly authorizationData?: readonly {
      readonly authorizationToken?: string;
      readonly proxyEndpoint?: string;
    }[];
  }>;
}

/** osls has a client for ECR among its own packages: this project needs none of its own. */
export function ecrClient(config: AwsConfig): EcrClient {
  omitNodeWarning();
  const osls = createRequire(import.meta.url).resolve('serverless/package.json');
  const { ECR }: { ECR: new (config: AwsConfig) => EcrClient } = createRequire(osls)('@aws-sdk/client-ecr');
  return new ECR(config);
}

export function secretsClient(config: AwsConfig): SecretsManager {
  omitNodeWarning();
  return new SecretsManager(config);
}
