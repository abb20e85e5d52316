# Everything an app may ask of one car, through Smartcar's own SDK for Python, unmodified. Keylend
# answers in Smartcar's place: the origin is Keylend's, and the access token is a grant token.
import json
import os

# Both are read when the SDK is imported.
os.environ["SMARTCAR_API_ORIGIN"] = os.environ["KEYLEND_URL"]
os.environ["SMARTCAR_VEHICLE_API_V3_ORIGIN"] = os.environ["KEYLEND_URL"]
import smartcar
from smartcar.smartcar import get_vehicle  # which the package itself does not export

ACCESS_TOKEN = os.environ["ACCESS_TOKEN"]


def show(call, **result):
    print(json.dumps({"call": call, **result}), flush=True)


listed = smartcar.get_vehicles(ACCESS_TOKEN)
show("vehicles", vehicles=listed.vehicles, count=listed.paging.count)

car = smartcar.Vehicle(listed.vehicles[0], ACCESS_TOKEN)
seen = car.attributes()
show("attributes", id=seen.id, make=seen.make, model=seen.model, year=seen.year)
show("vin", vin=car.vin().vin)
seen = car.location()
show("location", latitude=seen.latitude, longitude=seen.longitude)
show("odometer", distance=car.odometer().distance)
seen = car.battery()
show("battery", percentRemaining=seen.percent_remaining, range=seen.range)
show("battery_capacity", capacity=car.battery_capacity().capacity)
seen = car.charge()
show("charge", isPluggedIn=seen.is_plugged_in, state=seen.state)
seen = car.fuel()
show(
    "fuel",
    amountRemaining=seen.amount_remaining,
    percentRemaining=seen.percent_remaining,
    range=seen.range,
)
seen = car.tire_pressure()
show(
    "tire_pressure",
    frontLeft=seen.front_left,
    frontRight=seen.front_right,
    backLeft=seen.back_left,
    backRight=seen.back_right,
)
show("engine_oil", lifeRemaining=car.engine_oil().life_remaining)
show("lock_status", isLocked=car.lock_status().is_locked)

signals = {signal["id"]: signal["attributes"] for signal in car.get_signals()["body"]["data"]}
show("signals", odometer=signals["odometer-traveleddistance"]["body"]["value"])
signal = car.get_signal("closure-islocked")["body"]
show("signal", isLocked=signal["attributes"]["body"]["value"])
seen = get_vehicle(ACCESS_TOKEN, car.vehicle_id)["body"]
about = seen["attributes"]
show("vehicle", id=seen["id"], make=about["make"], model=about["model"], year=about["year"])

show("unlock", status=car.unlock().status)
show("lock", status=car.lock().status)
show("start_charge", status=car.start_charge().status)
show("stop_charge", status=car.stop_charge().status)
show("set_charge_limit", status=car.set_charge_limit(0.8).status)
show("charge_limit", limit=car.get_charge_limit().limit)

# The unit system is an option of the vehicle: the SDK's set_unit_system refuses every value.
in_miles = smartcar.Vehicle(car.vehicle_id, ACCESS_TOKEN, {"unit_system": "imperial"})
seen = in_miles.odometer()
show("odometer_imperial", distance=seen.distance, unitSystem=seen.meta.unit_system)

batch = car.batch(["/odometer", "/"])
seen = batch.attributes()
attributes = {"id": seen.id, "make": seen.make, "model": seen.model, "year": seen.year}
show("batch", odometer=batch.odometer().distance, attributes=attributes)
show("permissions", permissions=car.permissions().permissions)

try:
    smartcar.Vehicle("00000000-0000-7000-8000-000000000000", ACCESS_TOKEN).unlock()
    raise SystemExit("a vehicle that was not lent was unlocked")
except smartcar.SmartcarException as refusal:
    show("refused", type=refusal.type, statusCode=refusal.status_code)
