/** What infra/deployment-plugin.mjs asks of here. */
export { checkTemplate } from './check-template.ts';
export { planDeployment } from './plan.ts';
