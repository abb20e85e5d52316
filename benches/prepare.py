"""Prepares a service for the load of unlock.lua and read.lua: an owner with every car of the
simulator, and a guest with a grant for each. Leaves in the folder

    unlock.keys   lines "grant_token vehicle_id"
    read.keys     lines "grant_token path", the lock status through the service
    direct.keys   lines "access_token path owner_id", the same at the simulator itself
    cars.keys     lines "access_token path owner_id", the cars there
    crowd.keys    "grant_token vehicle_id" of two keys to the first car for crowd.py: one that was revoked,
                  and a good one

    prepare.py SERVICE_URL SIMULATOR_URL FOLDER
    prepare.py SERVICE_URL grants FOLDER    unlock.keys alone, for the grants named on standard input
    prepare.py cloud SIMULATOR_URL FOLDER   direct.keys and cars.keys alone
"""

import datetime
import json
import sys
import urllib.error
import urllib.parse
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


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def owner(simulator):
    """The id of an owner who gives an app without Keylend every car."""
    asked = {
        "response_type": "code",
        "client_id": "bench",
        "redirect_uri": "http://127.0.0.1:9/back",
        "scope": "read_security control_security read_vehicle_info",
        "user": "bench",
    }
    url = simulator + "/oauth/authorize?" + urllib.parse.urlencode(asked)
    try:
        urllib.request.build_opener(NoRedirect).open(url, timeout=60)
        raise SystemExit("prepare.py: the simulator shows a page; start it with --auto-approve")
    except urllib.error.HTTPError as answer:
        location = answer.headers["location"]
    return urllib.parse.parse_qs(urllib.parse.urlparse(location).query)["user_id"][0]


def access_token(simulator):
    """The token of that app for API v3."""
    form = {"grant_type": "client_credentials", "client_id": "bench", "client_secret": "secret"}
    request = urllib.request.Request(
        simulator + "/oauth2/token", data=urllib.parse.urlencode(form).encode()
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["access_token"]


def sign_in(service, email):
    body = {"email": email, "password": PASSWORD}
    return call(service + "/v1/sessions", body)["access_token"]


def mint(service, folder, grants):
    guest = sign_in(service, "guest@bench.example")
    with open(folder + "/unlock.keys", "w", encoding="ascii") as keys:
        for grant_id in grants:
            grant = service + "/v1/grants/" + grant_id
            minted = call(grant + "/token", {}, guest)
            keys.write("%s %s\n" % (minted["grant_token"], call(grant, token=guest)["vehicle_id"]))


def direct(simulator, folder):
    owner_id, token = owner(simulator), access_token(simulator)
    reads = open(folder + "/direct.keys", "w", encoding="ascii")
    cars = open(folder + "/cars.keys", "w", encoding="ascii")
    with reads, cars:
        for car in call(simulator + "/_sim/vehicles")["vehicles"]:
            path = "/v3/vehicles/" + car["id"]
            reads.write("%s %s/signals/closure-islocked %s\n" % (token, path, owner_id))
            cars.write("%s %s %s\n" % (token, path, owner_id))


def crowd(service, folder, admin, owner, vehicle_id):
    guest_id, guest = member(service, admin, "crowd")
    with open(folder + "/crowd.keys", "w", encoding="ascii") as keys:
        for name in ("crowd-revoked", "crowd-good"):
            grant = lend(service, owner, guest_id, vehicle_id, name)
            token = call(grant + "/token", {}, guest)["grant_token"]
            keys.write("%s %s\n" % (token, vehicle_id))
            if name == "crowd-revoked":
                call(grant + "/revoke", {}, owner)


def member(service, admin, name):
    """The id and the session of somebody new."""
    email = name + "@bench.example"
    made = call(service + "/v1/users", {"email": email, "display_name": name}, admin)
    claim = {"claim_token": made["claim_token"], "password": PASSWORD}
    return made["user_id"], call(service + "/v1/claims/redeem", claim)["access_token"]


def day(offset):
    """The beginning of a day, counted from today."""
    date = datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=offset)
    return date.isoformat() + "T00:00:00Z"


def lend(service, owner, guest_id, vehicle_id, key):
    """The address of a new grant."""
    grant = {
        "vehicle_id": vehicle_id,
        "grantee_id": guest_id,
        "entitlements": ["unlock", "lock", "read_lock_status"],
        "not_before": day(-1),
        "not_after": day(30),
    }
    return service + "/v1/grants/" + call(service + "/v1/grants", grant, owner, key)["grant_id"]


def main(service, simulator, folder):
    if simulator == "grants":
        mint(service, folder, sys.stdin.read().split())
        return
    if service == "cloud":
        direct(simulator, folder)
        return
    admin = sign_in(service, "admin@bench.example")
    (_, owner), (guest_id, guest) = (member(service, admin, name) for name in ("owner", "guest"))
    received = call(call(service + "/v1/connections", {}, owner)["authorize_url"])
    complete = service + "/v1/connections/%s/complete" % received["connection_id"]
    call(complete, {"completion_code": received["completion_code"]}, owner)
    vehicles, cursor = [], ""
    while cursor is not None:
        page = call(service + "/v1/vehicles?limit=100" + cursor, token=owner)
        vehicles += [vehicle["vehicle_id"] for vehicle in page["data"]]
        cursor = page["next_cursor"] and "&cursor=" + page["next_cursor"]
    direct(simulator, folder)
    unlock = open(folder + "/unlock.keys", "w", encoding="ascii")
    read = open(folder + "/read.keys", "w", encoding="ascii")
    with unlock, read:
        for number, vehicle_id in enumerate(vehicles):
            grant = lend(service, owner, guest_id, vehicle_id, "bench-%d" % number)
            key = call(grant + "/token", {}, guest)["grant_token"]
            unlock.write("%s %s\n" % (key, vehicle_id))
            read.write("%s /v1/vehicles/%s/lock-status\n" % (key, vehicle_id))
    crowd(service, folder, admin, owner, vehicles[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
