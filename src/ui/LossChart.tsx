/** The loss as a smoothed curve within its spread (one standard deviation), drawn by uPlot. */
import { useEffect, useRef, useSyncExternalStore } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { CurvePoint } from '../store/state.ts';

const HEIGHT = 104;

function toColumns(curve: readonly CurvePoint[]): uPlot.AlignedData {
  return [
    curve.map(({ step }) => step),
    curve.map(({ loss, spread }) => loss + spread),
    curve.map(({ loss, spread }) => Math.max(0, loss - spread)),
    curve.map(({ loss }) => loss),
  ];
}

function chartOptions(element: HTMLElement): uPlot.Options {
  const colour = (name: string) => getComputedStyle(element).getPropertyValue(name).trim();
  const axis = { stroke: colour('--quiet'), font: '11px system-ui', ticks: { show: false }, gap: 2 };
  const edge = { stroke: 'transparent', points: { show: false } };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [8, 12, 0, 0],
    cursor: { show: false },
    legend: { show: false },
    scales: { x: { time: false } },
    axes: [
      { ...axis, size: 20, grid: { show: false } },
      { ...axis, size: 36, grid: { stroke: colour('--line'), width: 1 }, space: 24 },
    ],
    series: [{}, edge, edge, { stroke: colour('--accent'), width: 2, points: { show: false } }],
    bands: [{ series: [1, 2], fill: colour('--accent-soft') }],
  };
}

const darkQuery = window.matchMedia('(prefers-color-scheme: dark)');

function watchScheme(listener: () => void): () => void {
  darkQuery.addEventListener('change', listener);
  return () => darkQuery.removeEventListener('change', listener);
}

function describe(curve: readonly CurvePoint[]): string {
  const [first, last] = [curve[0]!, curve.at(-1)!];
  return `Loss from ${first.loss.toFixed(3)} at step ${first.step} to ${last.loss.toFixed(3)} at step ${last.step}`;
}

export function LossChart({ curve }: { curve: readonly CurvePoint[] }) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(null);
  const dark = useSyncExternalStore(watchScheme, () => darkQuery.matches);
  useEffect(() => {
    const element = host.current!;
    const plot = new uPlot(chartOptions(element), [[], [], [], []], element);
    chart.current = plot;
    const resize = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      plot.destroy();
    };
  }, [dark]);
  useEffect(() => chart.current?.setData(toColumns(curve)), [curve, dark]);
  return (
    <figure className="chart">
      <figcaption>
        Loss<span className="quiet"> smoothed, with its spread</span>
      </figcaption>
      <div ref={host} role="img" aria-label={describe(curve)} />
    </figure>
  );
}
