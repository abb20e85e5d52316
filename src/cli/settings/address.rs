//! Addresses to listen at, as somebody writes them.

use std::net::SocketAddr;

/// Reads an address with a port. A name is none: it may stand for several addresses.
///
/// # Errors
/// A sentence that says how an address is written.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        let example = match text.rsplit_once(':') {
            Some(("localhost", port)) => format!("127.0.0.1:{port}"),
            _ => "127.0.0.1:8080, or 0.0.0.0:8080 for every address of this machine".to_owned(),
        };
        format!("must be an address in numbers and a port, such as {example}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_numbers_and_has_a_port() {
        for text in ["127.0.0.1:0", "[::1]:8080", "0.0.0.0:65535"] {
            assert_eq!(listen_address(text).unwrap().to_string(), text);
        }
        assert!(listen_address("localhost:8080").unwrap_err().ends_with("such as 127.0.0.1:8080"));
        for text in ["", "8080", "127.0.0.1", "keys.example.org:80", "127.0.0.1:65536", "::1:80:"] {
            assert!(listen_address(text).is_err(), "{text}");
        }
    }
}
