-- wrk script for the floors: the same small body on every request.
-- Prints one line of key=value pairs, as unlock.lua does.

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"vehicle_id":"veh_01h455vb4pex5vsknk084sn02q","action":"unlock"}'

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    "requests_per_s=%.0f p50_ms=%.2f p99_ms=%.2f max_ms=%.2f requests=%d errors_http=%d errors_socket=%d\n",
    summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
    summary.requests, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
