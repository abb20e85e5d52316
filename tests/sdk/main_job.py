# The main job through Smartcar's own client for Python, as it comes from PyPI. Whoever runs this
# sets SMARTCAR_API_ORIGIN to Keylend's address and GRANT_TOKEN to a digital key, reads one JSON
# line a step, and sends a line when the key has been revoked.
import json
import os
import sys

import smartcar

token = os.environ["GRANT_TOKEN"]


def tell(step, **result):
    print(json.dumps({"step": step, **result}), flush=True)


def refused(step, call):
    try:
        tell(step, answered=repr(call()))
    except smartcar.SmartcarException as error:
        tell(
            step,
            statusCode=error.status_code,
            type=error.type,
            code=error.code,
            description=error.description,
            requestId=error.request_id,
        )


listed = smartcar.get_vehicles(token)
tell(
    "vehicles",
    vehicles=listed.vehicles,
    paging={"count": listed.paging.count, "offset": listed.paging.offset},
)

car = smartcar.Vehicle(listed.vehicles[0], token)
seen = car.attributes()
tell("attributes", id=seen.id, make=seen.make, model=seen.model, year=seen.year)
tell("permissions", permissions=car.permissions().permissions)


def lock_status(step):
    seen = car.lock_status()
    lists = [seen.doors, seen.windows, seen.sunroof, seen.storage, seen.charging_port]
    tell(
        step,
        isLocked=seen.is_locked,
        areLists=all(isinstance(parts, list) for parts in lists),
        requestId=seen.meta.request_id,
    )


lock_status("lock_status")
for action in ["unlock", "lock", "unlock"]:
    done = getattr(car, action)()
    tell(action, status=done.status, message=done.message, requestId=done.meta.request_id)
    lock_status("lock_status")

# With another signature: the last letter of one carries bits that mean nothing, so the first is
# changed.
head, claims, signature = token.split(".")
altered = f"{head}.{claims}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
refused("altered", lambda: smartcar.Vehicle(listed.vehicles[0], altered).unlock())
refused("altered", lambda: smartcar.get_vehicles(altered))
other = "00000000-0000-7000-8000-000000000000"
refused("other_vehicle", lambda: smartcar.Vehicle(other, token).unlock())

tell("waiting")
sys.stdin.readline()

refused("revoked", car.unlock)
refused("revoked", car.lock)
refused("revoked", car.attributes)
refused("revoked", car.lock_status)
refused("revoked", lambda: smartcar.get_vehicles(token))
tell("done")
