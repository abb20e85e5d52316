# Everything an app may ask of one car, through Smartcar's own SDK for Ruby, unmodified. Keylend
# answers in Smartcar's place: the origin is Keylend's, and the access token is a grant token.
require 'json'
require 'smartcar'

ENV['SMARTCAR_API_ORIGIN'] = ENV.fetch('KEYLEND_URL')
TOKEN = ENV.fetch('ACCESS_TOKEN')

# Prints one call as a line of JSON.
def show(call, fields)
  puts JSON.generate({ call: call, **fields })
end

# The named fields of what the SDK returned.
def only(result, *names)
  names.to_h { |name| [name, result[name]] }
end

def vehicle(id, options = {})
  Smartcar::Vehicle.new(token: TOKEN, id: id, options: options)
end

listed = Smartcar.get_vehicles(token: TOKEN)
show('vehicles', { vehicles: listed.vehicles, count: listed.paging[:count] })

car = vehicle(listed.vehicles.first)
show('attributes', only(car.attributes, :id, :make, :model, :year))
show('vin', only(car.vin, :vin))
show('location', only(car.location, :latitude, :longitude))
show('odometer', only(car.odometer, :distance))
show('battery', only(car.battery, :percentRemaining, :range))
show('battery_capacity', only(car.battery_capacity, :capacity))
show('charge', only(car.charge, :isPluggedIn, :state))
show('fuel', only(car.fuel, :amountRemaining, :percentRemaining, :range))
show('tire_pressure', only(car.tire_pressure, :frontLeft, :frontRight, :backLeft, :backRight))
show('engine_oil', only(car.engine_oil, :lifeRemaining))
show('lock_status', only(car.lock_status, :isLocked))

show('unlock', only(car.unlock!, :status))
show('lock', only(car.lock!, :status))
show('start_charge', only(car.start_charge!, :status))
show('stop_charge', only(car.stop_charge!, :status))
show('set_charge_limit', only(car.set_charge_limit!(0.8), :status))
show('charge_limit', only(car.get_charge_limit, :limit))

in_miles = vehicle(car.id, { unit_system: Smartcar::IMPERIAL }).odometer
show('odometer_imperial',
     { distance: in_miles.distance, unitSystem: in_miles.meta[:unit_system] })

batch = car.batch(['/odometer', '/'])
attributes = only(batch.attributes, :id, :make, :model, :year)
show('batch', { odometer: batch.odometer.distance, attributes: attributes })
show('permissions', only(car.permissions, :permissions))

begin
  vehicle('00000000-0000-7000-8000-000000000000').unlock!
  abort 'a vehicle that was not lent was unlocked'
rescue SmartcarError => refusal
  show('refused', { type: refusal.type, statusCode: refusal.status_code })
end
