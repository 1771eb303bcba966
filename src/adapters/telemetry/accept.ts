const openMetrics = "application/openmetrics-text";
const maxHeaderLength = 2_048;

/**
 * True when the `Accept` header prefers OpenMetrics 1.0.0 over Prometheus' text format; not when it
 * is absent, too long or names neither. Equal weights go to OpenMetrics, as Prometheus means them.
 * Source: RFC 9110, 12.5.1; the header that Prometheus sends.
 */
export function prefersOpenMetrics(accept: string | undefined): boolean {
  if (accept === undefined || accept.length > maxHeaderLength) return false;
  let open = 0;
  let text = 0;
  for (const range of accept.split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const weight = weightOf(parameters);
    if (type === openMetrics && isVersionServed(parameters)) open = Math.max(open, weight);
    else if (type === "text/plain" || type === "text/*") text = Math.max(text, weight);
  }
  return open > 0 && open >= text;
}

function weightOf(parameters: readonly string[]): number {
  const q = parameters.find((parameter) => parameter.startsWith("q="));
  if (q === undefined) return 1;
  return /^q=[01](\.\d{0,3})?$/.test(q) ? Math.min(Number(q.slice(2)), 1) : 0;
}

function isVersionServed(parameters: readonly string[]): boolean {
  const version = parameters.find((parameter) => parameter.startsWith("version="));
  return version === undefined || version === "version=1.0.0";
}
