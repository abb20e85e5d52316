//! Smartcar over HTTP.
