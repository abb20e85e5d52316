//! One bounded request to the vehicle cloud.
