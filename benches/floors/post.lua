-- wrk script for the floors: the same small body on every request.

dofile("benches/wrk.lua")

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"vehicle_id":"veh_01h455vb4pex5vsknk084sn02q","action":"unlock"}'
