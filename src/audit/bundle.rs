//! Bundles: how entries are handed out, up to 256 at once (C2SP tlog-tiles, "Log entries").

/// The length of one entry is written in two bytes.
pub const LEAF_LENGTH_MAX: usize = u16::MAX as usize;

/// Why bytes are no bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBundle {
    /// An entry is longer than its length can be written.
    #[error("an entry is longer than 65,535 bytes")]
    TooLong,
    /// The bytes end within an entry.
    #[error("the bundle is cut off")]
    CutOff,
}

/// Adds an entry to a bundle.
///
/// # Errors
/// [`InvalidBundle::TooLong`] if the entry is longer than 65,535 bytes.
pub fn push(bundle: &mut Vec<u8>, leaf: &[u8]) -> Result<(), InvalidBundle> {
    let length = u16::try_from(leaf.len()).map_err(|_| InvalidBundle::TooLong)?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(leaf);
    Ok(())
}

/// The entries of a bundle, in order.
pub fn leaves(mut bundle: &[u8]) -> impl Iterator<Item = Result<&[u8], InvalidBundle>> {
    std::iter::from_fn(move || {
        if bundle.is_empty() {
            return None;
        }
        let cut = bundle.split_first_chunk::<2>().and_then(|(length, rest)| {
            rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
        });
        let Some((leaf, rest)) = cut else {
            bundle = &[];
            return Some(Err(InvalidBundle::CutOff));
        };
        bundle = rest;
        Some(Ok(leaf))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20)) {
            let mut bundle = Vec::new();
            for entry in &entries {
                push(&mut bundle, entry).unwrap();
            }
            let back: Result<Vec<&[u8]>, _> = leaves(&bundle).collect();
            prop_assert_eq!(back.unwrap(), entries);
        }

        #[test]
        fn whatever_is_cut_off_is_noticed(entry in prop::collection::vec(any::<u8>(), 1..50), cut in 1_usize..50) {
            let mut bundle = Vec::new();
            push(&mut bundle, &entry).unwrap();
            bundle.truncate(bundle.len() - cut.min(entry.len()));
            prop_assert_eq!(leaves(&bundle).last(), Some(Err(InvalidBundle::CutOff)));
        }
    }

    #[test]
    fn an_entry_has_a_greatest_length() {
        let mut bundle = Vec::new();
        assert_eq!(push(&mut bundle, &vec![0; LEAF_LENGTH_MAX + 1]), Err(InvalidBundle::TooLong));
        assert!(bundle.is_empty());
        push(&mut bundle, &vec![0; LEAF_LENGTH_MAX]).unwrap();
    }
}
