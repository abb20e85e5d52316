-- wrk script: unlocks cars at the simulator itself, each request the next of a list: what one unlock
-- costs without Keylend.
--
-- READ_KEYS names a file of lines "bearer_token path". READ_THREADS must be wrk's -t.

dofile("benches/wrk.lua")

function init(args)
  cars = {}
  for _, line in ipairs(keys_of_thread("READ")) do
    cars[#cars + 1] = { authorization = "Bearer " .. line[1], path = line[2] }
  end
  sent = 0
end

function request()
  sent = sent + 1
  local car = cars[(sent - 1) % #cars + 1]
  return wrk.format("POST", car.path, {
    ["Authorization"] = car.authorization,
    ["Content-Type"] = "application/json",
  }, '{"action":"UNLOCK"}')
end
