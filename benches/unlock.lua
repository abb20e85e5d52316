-- wrk script: unlocks cars through Keylend, each request with a grant token of its own list.
--
-- UNLOCK_KEYS names a file of lines "grant_token vehicle_id". Thread n of N takes the lines
-- n, n+N, … in turn, so no two threads share a grant. UNLOCK_THREADS must be wrk's -t.
-- Prints one line of key=value pairs; errors_http counts answers of 400 and above.

local counter = 0

function setup(thread)
  counter = counter + 1
  thread:set("number", counter)
end

function init(args)
  local path = assert(os.getenv("UNLOCK_KEYS"), "UNLOCK_KEYS names no file")
  local threads = tonumber(os.getenv("UNLOCK_THREADS") or "1")
  keys = {}
  local line_number = 0
  for line in io.lines(path) do
    local token, vehicle = line:match("^(%S+)%s+(%S+)$")
    assert(token, path .. ": not 'grant_token vehicle_id': " .. line)
    if line_number % threads == number - 1 then
      keys[#keys + 1] = {
        authorization = "Bearer " .. token,
        body = '{"vehicle_id":"' .. vehicle .. '","action":"unlock"}',
      }
    end
    line_number = line_number + 1
  end
  assert(#keys > 0, path .. " has no line for thread " .. number)
  sent = 0
  -- Keys must differ between runs against the same database, too.
  run = string.format("%s-%d", os.getenv("UNLOCK_RUN") or os.time(), number)
end

function request()
  sent = sent + 1
  local key = keys[(sent - 1) % #keys + 1]
  return wrk.format("POST", "/v1/commands", {
    ["Authorization"] = key.authorization,
    ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = run .. "-" .. sent,
  }, key.body)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    "requests_per_s=%.0f p50_ms=%.2f p99_ms=%.2f max_ms=%.2f requests=%d errors_http=%d errors_socket=%d\n",
    summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
    summary.requests, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
