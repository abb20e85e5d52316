//! What can be made to go wrong, and when: with a car, with the token endpoints, and when owners come
//! back from Connect. It knows neither the cloud nor its doors, which carry the faults out.

pub(super) mod car_faults;
pub(super) mod connect_error;
pub(super) mod corrupt;
pub(super) mod test_logins;
pub(super) mod token_faults;
