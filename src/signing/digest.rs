//! Digests. Knows nothing of what is digested.

/// The SHA-256 digest (FIPS 180-4) of these bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    let computed = ring::digest::digest(&ring::digest::SHA256, bytes);
    for (to, from) in digest.iter_mut().zip(computed.as_ref()) {
        *to = *from;
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::sha256;

    #[test]
    fn the_example_of_the_standard() {
        assert_eq!(sha256(b"abc")[..8], [0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea]);
    }
}
