/** Six characters are what Secrets Manager adds to a name. */
const ARN = /^arn:[\w-]+:secretsmanager:[\w-]*:\d*:secret:(.+?)(?:-\w{6})?$/;

/** For a policy. `-*` in the place of `-??????` would admit names that go on. */
export function secretArn(id: string): unknown {
  if (id.startsWith('arn:')) return id;
  return {
    'Fn::Sub': `arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${id}-??????`,
  };
}

/** Whether two ids, each a name or an ARN, can mean the same secret. */
export function isSameSecret(one: string, other: string): boolean {
  return one === other || nameOf(one) === nameOf(other);
}

function nameOf(id: string): string {
  return ARN.exec(id)?.[1] ?? id;
}
