/** What infra/deployment-plugin.mjs asks of here. */
export { checkTemplate } from './check-template.ts';
export { PARAMETER_NAMES } from './parameters.ts';
export { planDeployment } from './plan.ts';
