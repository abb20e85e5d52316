-- wrk script: unlocks cars through Keylend, each request with a grant token of its own list.
--
-- UNLOCK_KEYS names a file of lines "grant_token vehicle_id", or "grant_token vehicle_id proof" for a token that is
-- bound to a device; a proof works once. Thread n of N takes the lines n, n+N, … in turn, so no two threads share a
-- grant. UNLOCK_THREADS must be wrk's -t. UNLOCK_ACTION asks for something else than to unlock.

dofile("benches/wrk.lua")

function init(args)
  action = os.getenv("UNLOCK_ACTION") or "unlock"
  keys = {}
  for _, line in ipairs(keys_of_thread("UNLOCK")) do
    keys[#keys + 1] = {
      authorization = (line[3] == "" and "Bearer " or "DPoP ") .. line[1],
      proof = line[3] ~= "" and line[3] or nil,
      body = '{"vehicle_id":"' .. line[2] .. '","action":"' .. action .. '"}',
    }
  end
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
    ["DPoP"] = key.proof,
    ["Idempotency-Key"] = run .. "-" .. sent,
  }, key.body)
end
