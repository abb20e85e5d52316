-- wrk script: reads cars, each request the next of a list, with a bearer token of its own.
--
-- READ_KEYS names a file of lines "bearer_token path" or "bearer_token path owner_id". Thread n of N takes the lines n, n+N, … in
-- turn. READ_THREADS must be wrk's -t.

dofile("benches/wrk.lua")

function init(args)
  reads = {}
  for _, line in ipairs(keys_of_thread("READ")) do
    local headers = { ["Authorization"] = "Bearer " .. line[1] }
    if line[3] ~= "" then
      headers["sc-user-id"] = line[3]
    end
    reads[#reads + 1] = { path = line[2], headers = headers }
  end
  sent = 0
end

function request()
  sent = sent + 1
  local read = reads[(sent - 1) % #reads + 1]
  return wrk.format("GET", read.path, read.headers)
end
