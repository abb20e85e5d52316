"""Prepares a service for the load of unlock.lua: an owner with every car of the simulator, a guest
with a grant for each, and a file of lines "grant_token vehicle_id".

    prepare.py SERVICE_URL KEYS_FILE
"""

import json
import sys
import urllib.request

PASSWORD = "a password for benchmarks only"


def call(url, body=None, token=None, key=None):
    headers = {"Accept": "application/json"}
    if token:
        headers["Authorization"] = "Bearer " + token
    if key:
        headers["Idempotency-Key"] = key
    data = None
    if body is not None:
        headers["Content-Type"] = "application/json"
        data = json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def main(service, keys_file):
    def sign_in(email):
        body = {"email": email, "password": PASSWORD}
        return call(service + "/v1/sessions", body)["access_token"]

    admin = sign_in("admin@bench.example")
    people = {}
    for name in ("owner", "guest"):
        email = name + "@bench.example"
        body = {"email": email, "display_name": name, "password": PASSWORD}
        user_id = call(service + "/v1/users", body, admin)["user_id"]
        people[name] = (user_id, sign_in(email))
    (_, owner), (guest_id, guest) = people["owner"], people["guest"]
    call(call(service + "/v1/connections", {}, owner)["authorize_url"])
    vehicles, cursor = [], ""
    while cursor is not None:
        page = call(service + "/v1/vehicles?limit=100" + cursor, token=owner)
        vehicles += [vehicle["vehicle_id"] for vehicle in page["data"]]
        cursor = page["next_cursor"] and "&cursor=" + page["next_cursor"]
    with open(keys_file, "w", encoding="ascii") as keys:
        for number, vehicle_id in enumerate(vehicles):
            grant = {
                "vehicle_id": vehicle_id,
                "grantee_id": guest_id,
                "entitlements": ["unlock", "lock"],
                "not_before": "2026-01-01T00:00:00Z",
                "not_after": "2027-01-31T00:00:00Z",
            }
            grant = call(service + "/v1/grants", grant, owner, "bench-%d" % number)
            minted = call(service + "/v1/grants/%s/token" % grant["grant_id"], {}, guest)
            keys.write("%s %s\n" % (minted["grant_token"], vehicle_id))


if __name__ == "__main__":
    main(*sys.argv[1:])
