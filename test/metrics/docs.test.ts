import { expect, test } from "bun:test";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { families, withMetricsTable } from "../../scripts/metrics-table.ts";
import { promtool } from "../support/promtool.ts";

const pathOf = (path: string) => new URL(`../../${path}`, import.meta.url).pathname;
const ALERTS = pathOf("docs/prometheus-alerts.yaml");
const DASHBOARD = pathOf("docs/grafana-dashboard.json");

interface Panel {
  id: number;
  title: string;
  type: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string; legendFormat: string }[];
}

const alerts = await Bun.file(ALERTS).text();
const { panels }: { panels: Panel[] } = await Bun.file(DASHBOARD).json();
/** As Grafana fills them in. */
const drawn = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }): [string, string] => [
    title,
    expr.replaceAll("$__rate_interval", "5m").replaceAll("$job", ".+"),
  ]),
);
const watched = [...alerts.matchAll(/alert: (\w+)\n\s+expr: (.*)$/gm)].map(
  ([, name = "", expression = ""]): [string, string] => [name, expression],
);

/** Labels that Prometheus gives to all. */
const EVERYWHERE = ["job", "instance", "le"];
const known = new Map(
  families().flatMap(({ name, type, labels }) => {
    const names = type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
    return names.map((end): [string, readonly string[]] => [name + end, labels]);
  }),
);

/** What an expression asks for that there is not: names of metrics, and labels of none of them. */
function unknownOf(expression: string): string[] {
  const bare = expression.replaceAll(/"[^"]*"/g, '""');
  const names = [...bare.matchAll(/\b(fastlane|process|nodejs)_\w+/g)].map(([name]) => name);
  const labels = [
    ...[...bare.matchAll(/\{([^}]*)\}/g)].flatMap(([, inner = ""]) => inner.match(/\w+/g) ?? []),
    ...[...bare.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, by = ""]) => by.match(/\w+/g) ?? []),
  ];
  const allowed = new Set([...EVERYWHERE, ...names.flatMap((name) => known.get(name) ?? [])]);
  return [
    ...names.filter((name) => !known.has(name)),
    ...labels.filter((one) => !allowed.has(one)),
  ];
}

test("the docs' table of metrics is what there is; scripts/metrics-table.ts renews it", async () => {
  const docs = await Bun.file(pathOf("docs/metrics.md")).text();

  expect(docs).toContain("| `fastlane_nodes` | gauge |  | Nodes that run jobs");
  expect(withMetricsTable(docs)).toBe(docs);
});

test("an expression with a metric or a label that there is not is found out", () => {
  expect(unknownOf('sum by (pol) (fastlane_gone{pool="x"})')).toEqual([
    "fastlane_gone",
    "pool",
    "pol",
  ]);
});

test.each([...drawn, ...watched])("%s asks for what there is", (_, expression) => {
  expect(unknownOf(expression)).toEqual([]);
});

test("every metric of fastlane's own is drawn or watched", () => {
  const all = [...drawn, ...watched].map(([, expression]) => expression).join("\n");
  const own = families().filter(({ name }) => name.startsWith("fastlane_"));
  const infos = ["fastlane_build_info", "fastlane_node_info"];

  const missing = own.filter(({ name }) => !all.includes(name) && !infos.includes(name));

  expect(missing.map(({ name }) => name)).toEqual([]);
});

test("the dashboard's panels have each an id and a place of its own", () => {
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
  );

  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(new Set(cells).size).toBe(cells.length);
  expect(panels.filter(({ gridPos }) => gridPos.x + gridPos.w > 24)).toEqual([]);
});

test("promtool takes the alert rules and the dashboard's expressions, and each alert does as it should", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fastlane-rules-"));
  await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
  const rules = drawn.map(([, expr], index) => ({ record: `drawn:${index}`, expr }));
  await copyFile(ALERTS, join(folder, "alerts.yaml"));
  await copyFile(pathOf("test/metrics/alerts.test.yaml"), join(folder, "alerts.test.yaml"));
  // JSON is YAML.
  await writeFile(
    join(folder, "drawn.yaml"),
    JSON.stringify({ groups: [{ name: "drawn", rules }] }),
  );

  const checked = await promtool(["check", "rules", "alerts.yaml", "drawn.yaml"], { cwd: folder });
  const tested = await promtool(["test", "rules", "alerts.test.yaml"], { cwd: folder });

  expect(checked).toContain(`${watched.length} rules found`);
  expect(checked).toContain(`${rules.length} rules found`);
  expect(tested).toContain("SUCCESS");
  const unit = await Bun.file(join(folder, "alerts.test.yaml")).text();
  for (const [name] of watched) expect(unit).toContain(`alertname="${name}"`);
});
