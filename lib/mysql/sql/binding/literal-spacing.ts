import type { Placeholder } from '../statement-scan.ts';

// A space where the literal could merge with its neighbour: N? must not become N'...', nor 'a'? a longer string. None
// after a minus: --? would become a comment.

export function spaceBefore({ start }: Placeholder, sql: string): string {
  return start === 0 || ' \t\n\r(,=-'.includes(sql.charAt(start - 1)) ? '' : ' ';
}

export function spaceBehind({ end }: Placeholder, sql: string): string {
  return end === sql.length || ' \t\n\r),=;'.includes(sql.charAt(end)) ? '' : ' ';
}
