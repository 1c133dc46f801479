import { Job, type Outcome } from './job.ts';
import { type LoadClient, run } from './loops.ts';

/** Runs one job after another, as the parent process sends them, and ends with it. */
export function serveJobs(newClient: (job: Job) => LoadClient): void {
  process.on('message', (message) => {
    const job = Job.parse(message);
    const clients = Array.from({ length: job.clients }, () => newClient(job));
    run(clients, job).then(
      (outcome: Outcome) => process.send?.(outcome),
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exit(1);
      },
    );
  });
  process.on('disconnect', () => process.exit(0));
}
