import { resourcesOf, type Template } from '../template.ts';

/** Without authoriser an HTTP route would be an SQL endpoint that is open to the world. */
export function routeProblems(template: Template): string[] {
  return resourcesOf(template, 'AWS::ApiGatewayV2::Route')
    .filter(([, { Properties }]) => Properties?.AuthorizationType !== 'AWS_IAM')
    .map(
      ([logicalId, { Properties }]) =>
        `${logicalId}: the route "${String(Properties?.RouteKey)}" is open to everybody. Give its event in serverless.yml ` +
        `authorizer: { type: aws_iam }`,
    );
}
