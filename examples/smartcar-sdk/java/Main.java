// Everything an app may ask of one car, through Smartcar's own SDK for Java, unmodified. Keylend
// answers in Smartcar's place: the origin is Keylend's, and the access token is a grant token.
import com.google.gson.Gson;
import com.smartcar.sdk.Smartcar;
import com.smartcar.sdk.SmartcarException;
import com.smartcar.sdk.SmartcarVehicleOptions;
import com.smartcar.sdk.Vehicle;
import com.smartcar.sdk.Vehicle.UnitSystem;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Map;

public class Main {
  private static final PrintStream SHOWN = System.out;

  public static void main(String[] args) throws SmartcarException {
    System.setOut(System.err); // the SDK prints every refusal that it reads
    Smartcar.API_ORIGIN = System.getenv("KEYLEND_URL");
    var token = System.getenv("ACCESS_TOKEN");

    var listed = Smartcar.getVehicles(token);
    var ids = listed.getVehicleIds();
    show("vehicles", "vehicles", ids, "count", listed.getPaging().getCount());

    var car = new Vehicle(ids[0], token);
    var attributes = car.attributes();
    show(
        "attributes",
        "id", attributes.getId(),
        "make", attributes.getMake(),
        "model", attributes.getModel(),
        "year", attributes.getYear());
    show("vin", "vin", car.vin().getVin());
    var location = car.location();
    show("location", "latitude", location.getLatitude(), "longitude", location.getLongitude());
    show("odometer", "distance", car.odometer().getDistance());
    var battery = car.battery();
    show(
        "battery",
        "percentRemaining", battery.getPercentRemaining(),
        "range", battery.getRange());
    show("battery_capacity", "capacity", car.batteryCapacity().getCapacity());
    var charge = car.charge();
    show("charge", "isPluggedIn", charge.getIsPluggedIn(), "state", charge.getState());
    var fuel = car.fuel();
    show(
        "fuel",
        "amountRemaining", fuel.getAmountRemaining(),
        "percentRemaining", fuel.getPercentRemaining(),
        "range", fuel.getRange());
    var tires = car.tirePressure();
    show(
        "tire_pressure",
        "frontLeft", tires.getFrontLeft(),
        "frontRight", tires.getFrontRight(),
        "backLeft", tires.getBackLeft(),
        "backRight", tires.getBackRight());
    show("engine_oil", "lifeRemaining", car.engineOil().getLifeRemaining());
    unsupported("lock_status");
    unsupported("signals");
    unsupported("signal");
    unsupported("vehicle");

    show("unlock", "status", car.unlock().getStatus());
    show("lock", "status", car.lock().getStatus());
    show("start_charge", "status", car.startCharge().getStatus());
    show("stop_charge", "status", car.stopCharge().getStatus());
    unsupported("set_charge_limit");
    unsupported("charge_limit");

    var imperial = new SmartcarVehicleOptions.Builder().unitSystem(UnitSystem.IMPERIAL).build();
    var odometer = new Vehicle(ids[0], token, imperial).odometer();
    show(
        "odometer_imperial",
        "distance", odometer.getDistance(),
        "unitSystem", odometer.getMeta().getUnitSystem());

    var batch = car.batch(new String[] {"/odometer", "/"});
    var inBatch = batch.attributes();
    show(
        "batch",
        "odometer", batch.odometer().getDistance(),
        "attributes",
        fields(
            "id", inBatch.getId(),
            "make", inBatch.getMake(),
            "model", inBatch.getModel(),
            "year", inBatch.getYear()));
    show("permissions", "permissions", car.permissions().getPermissions());

    try {
      new Vehicle("00000000-0000-7000-8000-000000000000", token).unlock();
      throw new IllegalStateException("a vehicle that was not lent was unlocked");
    } catch (SmartcarException refusal) {
      show("refused", "type", refusal.getType(), "statusCode", refusal.getStatusCode());
    }
  }

  /** Prints one call as a line of JSON, with fields given as names and values in turn. */
  private static void show(String call, Object... namesAndValues) {
    var shown = fields("call", call);
    shown.putAll(fields(namesAndValues));
    SHOWN.println(new Gson().toJson(shown));
  }

  /** Says that this SDK does not have the call. */
  private static void unsupported(String call) {
    show(call, "unsupported", true);
  }

  private static Map<String, Object> fields(Object... namesAndValues) {
    var fields = new LinkedHashMap<String, Object>();
    for (int at = 0; at < namesAndValues.length; at += 2) {
      fields.put((String) namesAndValues[at], namesAndValues[at + 1]);
    }
    return fields;
  }
}
