import { sizeProblems } from '../fargate-size.ts';
import type { Parameters } from '../parameters.ts';
import { rollProblems } from '../rolling.ts';

/** What parameters that are right by themselves do not allow each other. */
export function parameterProblems(parameters: Parameters): string[] {
  return [
    ...rollProblems(parameters),
    ...networkProblems(parameters),
    ...httpsProblems(parameters),
    ...sizeProblems(parameters.taskCpu, parameters.taskMemory),
  ];
}

function networkProblems({ network, vpcId, subnetIds, databaseSecurityGroupId }: Parameters): string[] {
  const given = Object.entries({ vpcId, subnetIds: subnetIds[0], databaseSecurityGroupId });
  if (network === 'new') {
    return given
      .filter(([, value]) => value !== undefined)
      .map(([name]) => `${name}: found an id, allowed only with network=own; network=new makes its own`);
  }
  const why = 'because network=own puts everything into a VPC of yours';
  return [
    ...given
      .filter(([name, value]) => name !== 'subnetIds' && value === undefined)
      .map(([name]) => `${name}: found nothing, allowed an id, ${why}`),
    ...(subnetIds.length < 2
      ? [`subnetIds: found ${subnetIds.length} of them, allowed at least 2, ${why}`]
      : []),
  ];
}

function httpsProblems({ ingress, certificateArn, domainName }: Parameters): string[] {
  if (certificateArn === undefined) {
    return domainName === undefined
      ? []
      : ['domainName: found one, allowed only with certificateArn, which is for that name'];
  }
  return domainName === undefined || ingress !== 'alb'
    ? ['certificateArn: found one, allowed only with ingress=alb and domainName, the name that it is for']
    : [];
}
