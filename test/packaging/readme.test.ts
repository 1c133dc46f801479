import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { resourcesOf, type Template } from '../../infra/deployment/template.ts';
import { templateOf } from '../support/packages/service.ts';
import { sharedService } from '../support/packages/shared-packages.ts';
import { PROJECT } from '../support/project.ts';
import { argumentsOf, MODES, PROD } from './support/deployment-modes.ts';
import { namesIn, readmeOf, sectionOf } from './support/readme.ts';

/** To package takes its time. */
vi.setConfig({ hookTimeout: 180_000 });

describe('infra/README.md and the template of stage prod', () => {
  let readme: string;
  let template: Template;
  beforeAll(async () => {
    readme = await readmeOf('infra');
    template = await templateOf(await sharedService(argumentsOf(MODES[PROD])));
  });

  test('name the same alarms', () => {
    const alarms = resourcesOf(template, 'AWS::CloudWatch::Alarm').map(([logicalId]) => logicalId);

    expect(namesIn(sectionOf(readme, '### Alarms'), /^\| `(\w+)` +\|/gm)).toEqual(alarms.sort());
  });

  test('name the same outputs', () => {
    const named = namesIn(readme, /(?:`|-|:)([A-Z][A-Za-z]+(?:Url|Arn|Ids?))(?![a-z=])/g);

    expect(named).toContain('RotationFunctionArn');
    expect(Object.keys(template.Outputs ?? {})).toEqual(expect.arrayContaining(named));
  });

  test('name the same parameters', async () => {
    const text = await readFile(path.join(PROJECT, 'serverless.yml'), 'utf8');
    const { params } = parse(text, { logLevel: 'silent' });
    const named = namesIn(
      readme,
      /(?:`|--param )([a-z]+[A-Z]\w*|settings|network|egress|ingress|repository)(?:`|=)/g,
    );

    expect(Object.keys(params.default).filter((name) => !named.includes(name))).toEqual([]);

    const cells = namesIn(sectionOf(readme, '## Parameters'), /^\| (`\w[^|]*`) +\|/gm);
    const table = cells.flatMap((cell) => namesIn(cell, /`(\w+)`/g));
    expect(table).toContain('minTasks');
    expect(Object.keys(params.default)).toEqual(expect.arrayContaining(table));
  });
});
