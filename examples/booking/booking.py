#!/usr/bin/env python3
"""The backend of a car-sharing company, as small as it can be: what it calls when a booking is made and when it changes.

It needs Python 3.9 and nothing else. Set KEYLEND_URL, KEYLEND_CLIENT_ID, KEYLEND_CLIENT_SECRET and KEYLEND_OWNER_ID, the person
who owns the cars and lets the client act for them; examples/booking/README.md says how to get them.
"""

import base64
import datetime
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid


class Keylend:
    """A client of the API: one method, with the token, the retries and the keys that every call needs."""

    def __init__(self, url, client_id, client_secret):
        self.url, self.calls, self.token = url, 0, None
        self.basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()

    def call(self, method, path, body=None, acting_for=None, version=None, holder=None):
        """The answer's status and body. `acting_for` is a person, `holder` a grant token in the place of the client's own."""
        self.calls += 0 if holder else 1
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        if acting_for:
            headers["Keylend-Acting-For"] = acting_for
        if version:
            headers["If-Match"] = f'"{version}"'
        for attempt in range(5):
            headers["Authorization"] = f"Bearer {holder or self._access_token()}"
            status, answer, wait = self._send(method, path, headers, body)
            if status == 401 and not holder:
                self.token = None
            elif status not in (0, 429, 503):
                break
            # The same key: what was done already is not done again.
            time.sleep(wait or 0.2 * 2**attempt)
        return status, answer

    def _access_token(self):
        if self.token is None:
            form = urllib.parse.urlencode({"grant_type": "client_credentials"}).encode()
            headers = {"Authorization": f"Basic {self.basic}"}
            request = urllib.request.Request(f"{self.url}/oauth/token", form, headers)
            self.token = json.load(urllib.request.urlopen(request, timeout=30))["access_token"]
        return self.token

    def _send(self, method, path, headers, body):
        data = json.dumps(body or {}).encode() if method in ("POST", "PATCH") else None
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"{}"), 0
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.loads(refusal.read()), int(refusal.headers.get("Retry-After", 0))
        except urllib.error.URLError:
            return 0, {}, 0


def at(hours):
    """A time so many hours from now."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return (now + datetime.timedelta(hours=hours)).isoformat()


class Company:
    """A fleet, its customers, and what becomes of their bookings."""

    def __init__(self, keylend, owner):
        self.keylend, self.owner, self.table = keylend, owner, []

    def ask(self, expected, method, path, body=None, **more):
        status, answer = self.keylend.call(method, path, body, **more)
        if status != expected:
            raise SystemExit(f"{method} {path}: {status} instead of {expected}: {json.dumps(answer)}")
        return answer

    def scene(self, name, play):
        """Plays something, and notes how many calls the backend made."""
        before = self.keylend.calls
        told = play()
        self.table.append((name, self.keylend.calls - before))
        return told

    def open(self):
        """Everything that is done once: each car has its name and one holder at a time, each customer an account."""
        cars = self.ask(200, "GET", f"/v1/vehicles?limit=100&owner_id={self.owner}")["data"]
        for number, car in enumerate(cars):
            described = {"external_ref": f"car-{number:02}", "sharing": "exclusive", "buffer_minutes": 30}
            self.ask(200, "PATCH", f"/v1/vehicles/{car['vehicle_id']}", described, version=car["version"])
        self.cars = [car["vehicle_id"] for car in cars]
        self.people = [self.ask(201, "POST", "/v1/users", {
            "email": f"customer-{number:02}@example.com", "display_name": f"Customer {number}",
            "external_ref": f"customer-{number:02}"})["user_id"] for number in range(50)]

    def book(self, person, car, begins, ends, booking, expected=201):
        return self.ask(expected, "POST", "/v1/grants", {
            "vehicle_id": self.cars[car], "grantee_id": self.people[person], "entitlements": ["unlock", "lock"],
            "not_before": at(begins), "not_after": at(ends), "external_ref": booking}, acting_for=self.owner)

    def hand_over(self, person, grant):
        """The key for the customer's phone."""
        path = f"/v1/grants/{grant['grant_id']}/token"
        return self.ask(200, "POST", path, acting_for=self.people[person])["grant_token"]

    def phone(self, key, car, action, expected=200, code=None):
        """What the customer's phone does with the key alone."""
        body = {"vehicle_id": self.cars[car], "action": action}
        answer = self.ask(expected, "POST", "/v1/commands", body, holder=key)
        if code and answer["code"] != code:
            raise SystemExit(f"{action}: {answer['code']} instead of {code}")

    def revoke(self, grant):
        return self.ask(200, "POST", f"/v1/grants/{grant['grant_id']}/revoke", acting_for=self.owner)

    def day(self):
        """A day of the company: every car is booked twice, ten cars three times, by fifty people."""
        grants = [self.scene("a booking", lambda: self.book(person, person % 20, -1 + 4 * (person // 20),
                  2 + 4 * (person // 20), f"booking-{person}")) for person in range(50)]
        taken = self.scene("a booking of a car that is taken", lambda: self.book(30, 0, 1, 3, "booking-x", expected=409))
        assert taken["code"] == "window_taken" and taken["free_windows"], taken
        key = self.scene("handover", lambda: self.hand_over(0, grants[0]))
        self.phone(key, 0, "unlock")
        self.scene("extension", lambda: self.extend(grants[0]))
        self.phone(key, 0, "unlock")
        self.return_late(grants[1])
        self.scene("cancellation", lambda: self.revoke(grants[41]))
        self.scene("no-show", lambda: self.end_if_unused(grants[2]))
        moved = self.scene("another car", lambda: self.ask(201, "POST", f"/v1/grants/{grants[3]['grant_id']}/switch-vehicle",
                           {"vehicle_id": self.cars[2]}, acting_for=self.owner))
        self.phone(self.hand_over(3, moved), 2, "unlock")
        key = self.hand_over(4, grants[4])
        self.scene("lost phone", lambda: self.lose_phone(4, key))
        self.phone(key, 4, "unlock")
        self.scene("sold car", lambda: self.sell(5))
        booked = self.scene("finding a booking", lambda: self.ask(200, "GET", "/v1/grants?external_ref=booking-3&status=active"))
        assert [grant["grant_id"] for grant in booked["data"]] == [moved["grant_id"]], booked

    def extend(self, grant):
        changes = {"not_after": at(2.4)}
        answer = self.ask(200, "PATCH", f"/v1/grants/{grant['grant_id']}", changes,
                          acting_for=self.owner, version=grant["version"])
        assert answer["effect"] == "widening", answer

    def return_late(self, grant):
        """Nothing needs to be called: who is late can lock the car, and nothing else."""
        key = self.hand_over(1, grant)
        self.phone(key, 1, "unlock")
        # Here the time is over sooner, so that nobody waits for two hours.
        path, changes = f"/v1/grants/{grant['grant_id']}", {"not_after": at(2 / 3600)}
        self.ask(200, "PATCH", path, changes, acting_for=self.owner, version=grant["version"])
        time.sleep(2.5)
        self.scene("late return", lambda: self.close_late(key))

    def close_late(self, key):
        self.phone(key, 1, "unlock", expected=403, code="grant_expired")
        self.phone(key, 1, "lock")

    def end_if_unused(self, grant):
        if self.ask(200, "GET", f"/v1/grants/{grant['grant_id']}")["uses"] == 0:
            self.revoke(grant)

    def lose_phone(self, person, key):
        """The customer calls: their keys are paused, until the phone is found."""
        scope = {"user_id": self.people[person]}
        hold = self.ask(201, "POST", "/v1/holds", {"scope": scope, "reason": "The phone is lost."},
                        acting_for=self.people[person])
        self.phone(key, person, "unlock", expected=403, code="grant_held")
        self.ask(204, "DELETE", f"/v1/holds/{hold['hold_id']}", acting_for=self.people[person])

    def sell(self, car):
        """Who has it at present, and then it leaves; every key for it ends."""
        scope = {"scope": {"vehicle_id": self.cars[car]}, "reason": "The car was sold.", "dry_run": True}
        preview = self.ask(200, "POST", "/v1/ends", scope, acting_for=self.owner)
        removed = self.ask(200, "DELETE", f"/v1/vehicles/{self.cars[car]}", acting_for=self.owner)
        assert removed["grants"] == preview["grants"] > 0, (preview, removed)


def main():
    names = ("URL", "CLIENT_ID", "CLIENT_SECRET", "OWNER_ID")
    url, client_id, client_secret, owner = (os.environ[f"KEYLEND_{name}"] for name in names)
    company = Company(Keylend(url.rstrip("/"), client_id, client_secret), owner)
    company.open()
    company.day()
    most = {}
    for name, calls in company.table:
        most[name] = max(calls, most.get(name, 0))
    for name, calls in most.items():
        print(f"{name:36}{calls} call{'' if calls == 1 else 's'}")
    assert max(most.values()) <= 2, most
    print(f"{len(company.cars)} cars, {len(company.people)} customers, every scene as it should be")


if __name__ == "__main__":
    main()
