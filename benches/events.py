"""Whoever is told what happens while others open cars.

    events.py SERVICE_URL subscribe COUNT ADDRESS   has the settled commands sent to an address, by so many endpoints
    events.py SERVICE_URL pause                     sends nothing any more
    events.py SERVICE_URL follow SECONDS            follows the stream of settled commands; prints how far behind it is
"""

import datetime
import json
import sys
import time
import urllib.request
import uuid

from prepare import call, sign_in

TYPES = ["command.confirmed", "command.unconfirmed", "command.failed", "command.unresolved", "command.contradicted",
         "command.expired", "command.cancelled"]


def subscribe(service, admin, count, address):
    for _ in range(int(count)):
        body = {"url": address, "types": TYPES}
        call(service + "/v1/webhook-endpoints", body, admin, str(uuid.uuid4()))


def pause(service, admin):
    for endpoint in call(service + "/v1/webhook-endpoints?limit=100", token=admin)["data"]:
        call(service + "/v1/webhook-endpoints/" + endpoint["webhook_endpoint_id"] + "/pause", {}, admin)


def follow(service, admin, seconds):
    headers = {"Authorization": "Bearer " + admin, "Accept": "text/event-stream"}
    url = service + "/v1/events?after=end&type=" + ",".join(TYPES)
    stream = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60)
    until, behind = time.time() + float(seconds), []
    for line in stream:
        if time.time() > until:
            break
        if line.startswith(b"data:"):
            told = json.loads(line[5:])["timestamp"]
            at = datetime.datetime.fromisoformat(told.replace("Z", "+00:00")).timestamp()
            behind.append(time.time() - at)
    behind.sort()
    at = lambda part: behind[min(len(behind) - 1, int(part * len(behind)))] if behind else 0
    print("events=%d behind_p50_ms=%d behind_p99_ms=%d" % (len(behind), at(0.5) * 1000, at(0.99) * 1000))


def main(service, what, *rest):
    admin = sign_in(service, "admin@bench.example")
    acts = {"subscribe": subscribe, "pause": pause, "follow": follow}
    acts[what](service, admin, *rest)


if __name__ == "__main__":
    main(*sys.argv[1:])
