-- What the wrk scripts share; wrk runs them in the top folder of the repository.

-- Tells each thread which one it is.
local counter = 0

function setup(thread)
  counter = counter + 1
  thread:set("number", counter)
end

-- The lines of the file that NAME_KEYS names which belong to this thread, each split into its two or
-- three words: thread n of NAME_THREADS, which must be wrk's -t, takes the lines n, n+N, … in turn.
function keys_of_thread(name)
  local path = assert(os.getenv(name .. "_KEYS"), name .. "_KEYS names no file")
  local threads = tonumber(os.getenv(name .. "_THREADS") or "1")
  local lines, line_number = {}, 0
  for line in io.lines(path) do
    local first, second, third = line:match("^(%S+) (%S+) ?(%S*)$")
    assert(first, path .. ": not two or three words: " .. line)
    if line_number % threads == number - 1 then
      lines[#lines + 1] = { first, second, third }
    end
    line_number = line_number + 1
  end
  assert(#lines > 0, path .. " has no line for thread " .. number)
  return lines
end

-- Prints one line of key=value pairs; errors_http counts answers of 400 and above.
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    "requests_per_s=%.0f p50_ms=%.2f p99_ms=%.2f max_ms=%.2f requests=%d errors_http=%d errors_socket=%d\n",
    summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
    summary.requests, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
