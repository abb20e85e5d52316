"""What an administrator does while others open cars.

    bookings.py SERVICE_URL end EMAIL     ends all that a person was lent; prints the seconds and the number
    bookings.py SERVICE_URL hold EMAIL    places two holds, over a person and the organization; prints their ids
    bookings.py SERVICE_URL lift ID…      lifts holds
"""

import sys
import time
import urllib.request
import uuid

from prepare import call, sign_in


def person(service, admin, email):
    return call(service + "/v1/users?email=" + email, token=admin)["data"][0]["user_id"]


def end(service, admin, email):
    body = {"scope": {"user_id": person(service, admin, email)}, "reason": "A measurement."}
    began = time.monotonic()
    ended = call(service + "/v1/ends", body, admin, str(uuid.uuid4()))
    print("seconds=%.2f grants=%d" % (time.monotonic() - began, ended["grants"]))


def hold(service, admin, email):
    for scope in ({"user_id": person(service, admin, email)}, {"organization": True}):
        body = {"scope": scope, "reason": "A measurement."}
        print(call(service + "/v1/holds", body, admin, str(uuid.uuid4()))["hold_id"])


def lift(service, admin, hold_id):
    headers = {"Authorization": "Bearer " + admin}
    request = urllib.request.Request(service + "/v1/holds/" + hold_id, headers=headers, method="DELETE")
    urllib.request.urlopen(request, timeout=60)


def main(service, what, *rest):
    admin = sign_in(service, "admin@bench.example")
    acts = {"end": end, "hold": hold, "lift": lift}
    for each in rest:
        acts[what](service, admin, each)


if __name__ == "__main__":
    main(*sys.argv[1:])
