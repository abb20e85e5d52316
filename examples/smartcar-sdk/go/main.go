// Everything an app may ask of one car, through Smartcar's own SDK for Go, unmodified. Keylend
// answers in Smartcar's place: the SDK knows one host only, so the transport under it takes its
// requests to Keylend's origin, and the access token is a grant token.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"net/url"
	"os"

	smartcar "github.com/smartcar/go-sdk"
)

func main() {
	origin := must(url.Parse(os.Getenv("KEYLEND_URL")))
	http.DefaultTransport = redirected{origin, http.DefaultTransport}

	ctx, token := context.Background(), os.Getenv("ACCESS_TOKEN")
	client := smartcar.NewClient()
	client.SetAPIVersion("2.0") // the SDK would ask for 1.0

	ids := *must(client.GetVehicleIDs(ctx, &smartcar.VehicleIDsParams{Access: token}))
	show("vehicles", fields{"vehicles": ids, "count": len(ids)})

	car := client.NewVehicle(&smartcar.VehicleParams{ID: ids[0], AccessToken: token})
	show("attributes", only(must(car.GetInfo(ctx)), "id", "make", "model", "year"))
	show("vin", only(must(car.GetVIN(ctx)), "vin"))
	show("location", only(must(car.GetLocation(ctx)), "latitude", "longitude"))
	show("odometer", only(must(car.GetOdometer(ctx)), "distance"))
	show("battery", only(must(car.GetBattery(ctx)), "percentRemaining", "range"))
	show("battery_capacity", only(must(car.GetBatteryCapacity(ctx)), "capacity"))
	show("charge", only(must(car.GetCharge(ctx)), "isPluggedIn", "state"))
	show("fuel", only(must(car.GetFuel(ctx)), "amountRemaining", "percentRemaining", "range"))
	show("tire_pressure", only(must(car.GetTiresPressure(ctx)),
		"frontLeft", "frontRight", "backLeft", "backRight"))
	show("engine_oil", only(must(car.GetOil(ctx)), "lifeRemaining"))
	show("lock_status", unsupported)
	show("signals", unsupported)
	show("signal", unsupported)
	show("vehicle", unsupported)

	show("unlock", only(must(car.Unlock(ctx)), "status"))
	show("lock", only(must(car.Lock(ctx)), "status"))
	show("start_charge", only(must(car.StartCharge(ctx)), "status"))
	show("stop_charge", only(must(car.StopCharge(ctx)), "status"))
	show("set_charge_limit", unsupported)
	show("charge_limit", unsupported)

	inMiles := client.NewVehicle(&smartcar.VehicleParams{
		ID: ids[0], AccessToken: token, UnitSystem: smartcar.Imperial,
	})
	show("odometer_imperial", only(must(inMiles.GetOdometer(ctx)), "distance", "unitSystem"))

	batch := must(car.Batch(ctx, smartcar.OdometerPath, smartcar.InfoPath))
	show("batch", fields{
		"odometer":   batch.Odometer.Distance,
		"attributes": only(batch.Info, "id", "make", "model", "year"),
	})
	show("permissions", only(must(car.GetPermissions(ctx)), "permissions"))

	stranger := client.NewVehicle(&smartcar.VehicleParams{
		ID: "00000000-0000-7000-8000-000000000000", AccessToken: token,
	})
	_, refusal := stranger.Unlock(ctx)
	if refusal == nil {
		log.Fatal("a vehicle that was not lent was unlocked")
	}
	show("refused", fields{"text": refusal.Error()})
}

// redirected takes every request to one origin, whatever host it was made for.
type redirected struct {
	origin *url.URL
	next   http.RoundTripper
}

func (to redirected) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.URL.Scheme, request.URL.Host = to.origin.Scheme, to.origin.Host
	request.Host = to.origin.Host
	return to.next.RoundTrip(request)
}

type fields map[string]any

// unsupported stands for a call that this SDK does not have.
var unsupported = fields{"unsupported": true}

// show prints one call as a line of JSON.
func show(call string, shown fields) {
	line := fields{"call": call}
	for name, value := range shown {
		line[name] = value
	}
	must(0, json.NewEncoder(os.Stdout).Encode(line))
}

// only returns the named fields of what the SDK returned.
func only(result any, names ...string) fields {
	var all fields
	must(0, json.Unmarshal(must(json.Marshal(result)), &all))
	named := fields{}
	for _, name := range names {
		named[name] = all[name]
	}
	return named
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
