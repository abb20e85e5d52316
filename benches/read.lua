-- wrk script: reads cars, each request the next of a list, with a bearer token of its own.
--
-- READ_KEYS names a file of lines "bearer_token path". Thread n of N takes the lines n, n+N, … in
-- turn. READ_THREADS must be wrk's -t.
-- Prints one line of key=value pairs; errors_http counts answers of 400 and above.

local counter = 0

function setup(thread)
  counter = counter + 1
  thread:set("number", counter)
end

function init(args)
  local file = assert(os.getenv("READ_KEYS"), "READ_KEYS names no file")
  local threads = tonumber(os.getenv("READ_THREADS") or "1")
  reads = {}
  local line_number = 0
  for line in io.lines(file) do
    local token, path = line:match("^(%S+)%s+(%S+)$")
    assert(token, file .. ": not 'bearer_token path': " .. line)
    if line_number % threads == number - 1 then
      reads[#reads + 1] = { authorization = "Bearer " .. token, path = path }
    end
    line_number = line_number + 1
  end
  assert(#reads > 0, file .. " has no line for thread " .. number)
  sent = 0
end

function request()
  sent = sent + 1
  local read = reads[(sent - 1) % #reads + 1]
  return wrk.format("GET", read.path, { ["Authorization"] = read.authorization })
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
