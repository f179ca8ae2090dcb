/** What the registry did, as Prometheus reads it: https://prometheus.io/docs/instrumenting/exposition_formats/ */
import type { Reply } from './http.ts';

const SECONDS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60];

interface Histogram {
  readonly counts: number[];
  count: number;
  sum: number;
}

export class Metrics {
  readonly #requests = new Map<string, number>();
  readonly #durations = new Map<string, Histogram>();
  #sentBytes = 0;
  readonly #activeUploads: () => number;

  constructor(activeUploads: () => number) {
    this.#activeUploads = activeUploads;
  }

  /** `kind`: of the route, not its path: there must not be a series for each repository a client makes up. */
  count(method: string, kind: string, reply: Reply, durationMs: number): void {
    const shownMethod = /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$/.test(method) ? method : 'other';
    const key = `method="${shownMethod}",route="${kind}",code="${reply.status}"`;
    this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1);
    if (reply.body !== undefined && method !== 'HEAD') this.#sentBytes += Number(reply.headers['content-length'] ?? 0);
    let histogram = this.#durations.get(kind);
    if (histogram === undefined) {
      histogram = { counts: SECONDS.map(() => 0), count: 0, sum: 0 };
      this.#durations.set(kind, histogram);
    }
    const seconds = durationMs / 1000;
    histogram.count += 1;
    histogram.sum += seconds;
    SECONDS.forEach((limit, i) => {
      if (seconds <= limit) histogram.counts[i]! += 1;
    });
  }

  text(): string {
    const lines = [
      '# HELP wctr_registry_requests_total Requests answered.',
      '# TYPE wctr_registry_requests_total counter',
      ...[...this.#requests].map(([labels, value]) => `wctr_registry_requests_total{${labels}} ${value}`),
      '# HELP wctr_registry_request_duration_seconds Time until the head of the answer.',
      '# TYPE wctr_registry_request_duration_seconds histogram',
      ...[...this.#durations].flatMap(([kind, { counts, count, sum }]) => {
        const name = 'wctr_registry_request_duration_seconds';
        return [
          ...SECONDS.map((limit, i) => `${name}_bucket{route="${kind}",le="${limit}"} ${counts[i]}`),
          `${name}_bucket{route="${kind}",le="+Inf"} ${count}`,
          `${name}_sum{route="${kind}"} ${sum}`,
          `${name}_count{route="${kind}"} ${count}`,
        ];
      }),
      '# HELP wctr_registry_sent_bytes_total Bytes of bodies answered with.',
      '# TYPE wctr_registry_sent_bytes_total counter',
      `wctr_registry_sent_bytes_total ${this.#sentBytes}`,
      '# HELP wctr_registry_active_uploads Uploads a request has hold of.',
      '# TYPE wctr_registry_active_uploads gauge',
      `wctr_registry_active_uploads ${this.#activeUploads()}`,
    ];
    return `${lines.join('\n')}\n`;
  }
}
