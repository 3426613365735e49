/** A sample of Prometheus' text format. */
interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export interface Scraped {
  text: string;
  samples: readonly Sample[];
  /** The value of the one sample that has these labels among its own; `null` where there is none. */
  value(name: string, labels?: Record<string, string>): number | null;
}

export async function scrape(url: string, headers: Record<string, string> = {}): Promise<Scraped> {
  const answer = await fetch(url, { headers });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${url} answers ${answer.status}: ${text}`);
  const samples = text.split("\n").flatMap((line) => sampleOf(line) ?? []);
  return {
    text,
    samples,
    value(name, labels = {}) {
      const fitting = samples.filter(
        (sample) =>
          sample.name === name &&
          Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
      );
      if (fitting.length > 1) throw new Error(`${name} has ${fitting.length} of these samples`);
      return fitting[0]?.value ?? null;
    },
  };
}

function sampleOf(line: string): Sample | null {
  const [, name = "", braces = "", value = ""] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  if (name === "") return null;
  const labels = [...braces.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
  return {
    name,
    labels: Object.fromEntries(labels.map(([, label = "", text = ""]) => [label, text])),
    value: Number(value),
  };
}
