import { httpClient } from './http-operations.ts';
import { serveJobs } from './serve-jobs.ts';

serveJobs(({ url, workload }) => httpClient(url, workload));
