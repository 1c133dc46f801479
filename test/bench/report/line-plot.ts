export interface Series {
  readonly name: string;
  readonly color: string;
  readonly isDashed?: boolean;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface LinePlot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly isLogarithmic: boolean;
  readonly series: readonly Series[];
}

const WIDTH = 720;
const HEIGHT = 360;
const PLOT = { left: 64, top: 44, right: 500, bottom: 312 };
const X_TICKS = 5;

/** Lines over two axes, as SVG. Time and rate begin at 0. */
export function linePlot({ title, xLabel, yLabel, isLogarithmic, series }: LinePlot): string {
  const points = series.flatMap(({ points: all }) => all);
  const xMax = niceCeiling(Math.max(1, ...points.map(([x]) => x)));
  const ys = points.map(([, y]) => y);
  const yTicks = isLogarithmic ? decades(ys) : linearTicks(Math.max(1, ...ys));
  const [yMin = 0, yMax = 1] = [yTicks[0], yTicks.at(-1)];
  const xAt = (x: number) => round(PLOT.left + (x / xMax) * (PLOT.right - PLOT.left));
  const scaled = (y: number) => (isLogarithmic ? Math.log10(y) : y);
  const yAt = (y: number) =>
    round(
      PLOT.bottom - ((scaled(y) - scaled(yMin)) / (scaled(yMax) - scaled(yMin))) * (PLOT.bottom - PLOT.top),
    );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(PLOT.left, 24, title, 'font-size="15" font-weight="bold"'),
    ...yTicks.map((tick) => horizontalRule(yAt(tick), String(tick))),
    ...linearTicks(xMax).map((tick) =>
      text(xAt(tick), PLOT.bottom + 18, String(tick), 'text-anchor="middle"'),
    ),
    text((PLOT.left + PLOT.right) / 2, PLOT.bottom + 40, xLabel, 'text-anchor="middle"'),
    text(PLOT.left, PLOT.top - 6, yLabel, 'fill="#555"'),
    ...series.map((line) => polyline(line, xAt, yAt)),
    ...series.flatMap((line, index) => legend(line, PLOT.top + 12 + index * 20)),
    '</svg>',
    '',
  ].join('\n');
}

function polyline(
  { points, color, isDashed }: Series,
  xAt: (x: number) => number,
  yAt: (y: number) => number,
): string {
  const path = points.map(([x, y]) => `${xAt(x)},${yAt(y)}`).join(' ');
  return `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"${dashes(isDashed)}/>`;
}

function legend({ name, color, isDashed }: Series, y: number): string[] {
  const x = PLOT.right + 16;
  return [
    `<path d="M${x} ${y}h20" stroke="${color}" stroke-width="2"${dashes(isDashed)}/>`,
    text(x + 26, y + 4, name),
  ];
}

function horizontalRule(y: number, label: string): string {
  const line = `<path d="M${PLOT.left} ${y}H${PLOT.right}" stroke="#ddd"/>`;
  return line + text(PLOT.left - 8, y + 4, label, 'text-anchor="end"');
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

function dashes(isDashed: boolean | undefined): string {
  return isDashed === true ? ' stroke-dasharray="5 4"' : '';
}

function linearTicks(max: number): number[] {
  const end = niceCeiling(max);
  return Array.from({ length: X_TICKS + 1 }, (_, index) => Number(((end * index) / X_TICKS).toPrecision(6)));
}

/** The next of 1, 2, 2.5, 5 and 10 times a power of ten. */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 2.5, 5].find((step) => step * power >= value) ?? 10);
}

/** Powers of ten around all values. */
function decades(values: readonly number[]): number[] {
  const positive = values.filter((value) => value > 0);
  const first = Math.floor(Math.log10(Math.min(1, ...positive)));
  const last = Math.ceil(Math.log10(Math.max(10, ...positive)));
  return Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
