import type { Measured } from '../measure/turn.ts';
import type { Burst } from '../parts/burst.ts';
import type { Deployed } from '../parts/deployed.ts';
import type { Growth } from '../parts/growth.ts';
import type { Imports } from '../parts/imports.ts';
import type { IdleMemory } from '../parts/memory.ts';
import type { Rotation } from '../parts/rotation.ts';

/** Everything that one run found; the JSON file. */
export interface Report {
  readonly madeAt: string;
  readonly machine: string;
  readonly races: readonly Measured[];
  readonly rates: readonly Measured[];
  readonly bursts: readonly Burst[];
  /** Empty where there can be no control groups. */
  readonly deployed: readonly Deployed[];
  readonly growths: readonly Growth[];
  readonly imports: Imports;
  readonly rotation: Rotation;
  readonly idleMemory: IdleMemory;
  /** Bytes in memory, second by second; empty if the run was a short one. */
  readonly soak: readonly number[];
}
