/** Nobody should wait longer without a word. */
const REMINDER_MS = 5_000;

interface Step {
  /** Says how it ended, and after how long. */
  end(result: string): void;
}

/** Says what is done now, and every few seconds that it is not done yet. */
export function beginStep(doing: string): Step {
  const beganAtMs = performance.now();
  const seconds = () => `${((performance.now() - beganAtMs) / 1_000).toFixed(1)} s`;
  console.log(`${doing} ...`);
  const reminder = setInterval(() => console.log(`  ... still at it after ${seconds()}`), REMINDER_MS);
  reminder.unref();
  return {
    end: (result) => {
      clearInterval(reminder);
      console.log(`  ${result}, after ${seconds()}`);
    },
  };
}

/** A step that ends with its work. */
export async function runStep<T>(doing: string, work: () => Promise<T>): Promise<T> {
  const step = beginStep(doing);
  try {
    const result = await work();
    step.end('done');
    return result;
  } catch (error) {
    step.end('failed');
    throw error;
  }
}
