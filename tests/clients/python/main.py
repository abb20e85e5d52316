"""The main job with a client that openapi-python-client makes of openapi.yaml."""

import json
import os
import uuid
from datetime import datetime

from keylend_client import AuthenticatedClient
from keylend_client.api.commands import commands_create
from keylend_client.api.grants import grants_issue, grants_revoke, grants_token
from keylend_client.api.vehicles import vehicles_list, vehicles_read
from keylend_client.models import (
    Action,
    Command,
    CreateCommand,
    EndedGrant,
    Entitlement,
    FreeMap,
    Grant,
    GrantToken,
    IssueGrant,
    LockStatusReading,
    Problem,
    VehicleList,
    VehiclesReadObservable,
    WaitFor,
)


def client(token: str) -> AuthenticatedClient:
    return AuthenticatedClient(base_url=os.environ["KEYLEND_URL"], token=token)


owner, guest = client(os.environ["OWNER_TOKEN"]), client(os.environ["GUEST_TOKEN"])

cars = vehicles_list.sync(client=owner, limit=1)
assert isinstance(cars, VehicleList), cars
car = cars.data[0]

booking = FreeMap()
booking["booking"] = "B-1"
lent = grants_issue.sync(
    client=owner,
    idempotency_key=str(uuid.uuid4()),
    body=IssueGrant(
        vehicle_id=car.vehicle_id,
        grantee_id=os.environ["GUEST_ID"],
        entitlements=[Entitlement.UNLOCK, Entitlement.LOCK, Entitlement.READ_LOCK_STATUS],
        not_before=datetime.fromisoformat(os.environ["NOT_BEFORE"]),
        not_after=datetime.fromisoformat(os.environ["NOT_AFTER"]),
        metadata=booking,
    ),
)
assert isinstance(lent, Grant), lent
minted = grants_token.sync(lent.grant_id, client=guest)
assert isinstance(minted, GrantToken), minted

key = client(minted.grant_token)


def unlock() -> Command | Problem | None:
    command = CreateCommand(vehicle_id=car.vehicle_id, action=Action.UNLOCK)
    return commands_create.sync(client=key, body=command, idempotency_key=str(uuid.uuid4()))


unlocked = unlock()
assert isinstance(unlocked, Command), unlocked
read = vehicles_read.sync(car.vehicle_id, VehiclesReadObservable.LOCK_STATUS, client=key)
assert isinstance(read, LockStatusReading), read
ended = grants_revoke.sync(lent.grant_id, client=owner, wait=WaitFor.DRAIN)
assert isinstance(ended, EndedGrant), ended
refused = unlock()
assert isinstance(refused, Problem), refused

print(
    json.dumps(
        {
            "booking": lent.metadata["booking"] if lent.metadata else None,
            "unlocked": unlocked.status,
            "is_locked": read.is_locked,
            "end_reason": ended.end_reason,
            "refused": refused.code,
        }
    )
)
