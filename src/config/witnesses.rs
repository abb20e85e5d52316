//! Who watches the record, and how many of them must have cosigned what is published.

use std::str::FromStr;

use crate::audit::note::{InvalidVerifierKey, KeyKind, VerifierKey};

use super::{InvalidAddress, PublicUrl};

/// A witness of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessAddress {
    /// Its public key, with the name under which it cosigns.
    pub key: VerifierKey,
    /// Where checkpoints are put before it: its submission prefix.
    pub url: PublicUrl,
}

/// Why a text is not the address of a witness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWitnessAddress {
    /// It does not have the form.
    #[error("must be VKEY=URL, such as w1.example+1a2b3c4d+BA…=https://w1.example.org")]
    Malformed,
    /// The key is none.
    #[error(transparent)]
    Key(#[from] InvalidVerifierKey),
    /// The key is a log's.
    #[error("the key is that of a log, not of a witness")]
    NotAWitness,
    /// The address is none.
    #[error(transparent)]
    Url(#[from] InvalidAddress),
}

impl FromStr for WitnessAddress {
    type Err = InvalidWitnessAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A name may hold an equals sign; the 44 characters of a key cannot.
        let key_at = text.match_indices('+').nth(1).map(|(at, _)| at);
        let (front, key) = key_at
            .and_then(|at| text.split_at_checked(at))
            .ok_or(InvalidWitnessAddress::Malformed)?;
        let (key, url) = key.split_once('=').ok_or(InvalidWitnessAddress::Malformed)?;
        let key: VerifierKey = format!("{front}{key}").parse()?;
        if key.kind() != KeyKind::Witness {
            return Err(InvalidWitnessAddress::NotAWitness);
        }
        Ok(Self { key, url: url.parse()? })
    }
}

/// All witnesses of the record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Witnesses {
    all: Vec<WitnessAddress>,
    min: usize,
}

/// Why witnesses cannot be together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWitnesses {
    /// A checkpoint with that many cosignatures would be too long for those who read it.
    #[error("there are more than {0} witnesses")]
    TooMany(usize),
    /// Their cosignatures could not be distinguished.
    #[error("two witnesses are called {0}")]
    SameName(String),
    /// Nothing would ever be published.
    #[error("more witnesses must have cosigned than there are")]
    MoreThanThereAre,
}

impl Witnesses {
    /// At most so many.
    pub const COUNT_MAX: usize = 16;

    /// These witnesses, of whom `min` must have cosigned a checkpoint before it is published as
    /// the newest: one if nothing is said and there are any.
    ///
    /// # Errors
    /// [`InvalidWitnesses`] if there are too many, two have the same name, or more must cosign than
    /// there are.
    pub fn new(all: Vec<WitnessAddress>, min: Option<usize>) -> Result<Self, InvalidWitnesses> {
        if all.len() > Self::COUNT_MAX {
            return Err(InvalidWitnesses::TooMany(Self::COUNT_MAX));
        }
        for (at, witness) in all.iter().enumerate() {
            let name = witness.key.name();
            if all.iter().skip(at + 1).any(|other| other.key.name() == name) {
                return Err(InvalidWitnesses::SameName(name.to_owned()));
            }
        }
        let min = min.unwrap_or_else(|| all.len().min(1));
        if min > all.len() {
            return Err(InvalidWitnesses::MoreThanThereAre);
        }
        Ok(Self { all, min })
    }

    /// Every one.
    #[must_use]
    pub fn all(&self) -> &[WitnessAddress] {
        &self.all
    }

    /// How many must have cosigned a checkpoint before it is published as the newest.
    #[must_use]
    pub const fn min(&self) -> usize {
        self.min
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn witness(name: &str) -> WitnessAddress {
        let key = VerifierKey::new(name, KeyKind::Witness, [7; 32]).unwrap();
        WitnessAddress { key, url: "https://w.example".parse().unwrap() }
    }

    #[test]
    fn a_witness_is_its_key_and_its_address() {
        let key = VerifierKey::new("a=b/w1", KeyKind::Witness, [7; 32]).unwrap();
        let read: WitnessAddress = format!("{key}=https://w1.example.org/x=y/").parse().unwrap();
        assert_eq!(read.key, key);
        assert_eq!(read.url.join("/add-checkpoint"), "https://w1.example.org/x=y/add-checkpoint");
        let log = VerifierKey::new("a", KeyKind::Log, [7; 32]).unwrap();
        for (text, why) in [
            (String::new(), InvalidWitnessAddress::Malformed),
            (key.to_string(), InvalidWitnessAddress::Malformed),
            ("a=https://w.example".to_owned(), InvalidWitnessAddress::Malformed),
            (format!("{log}=https://w.example"), InvalidWitnessAddress::NotAWitness),
            (format!("x{key}=https://w.example"), InvalidVerifierKey::WrongId.into()),
            (format!("{key}=w.example"), InvalidAddress::NotHttp.into()),
            (format!("{key}=https://w.example?a=b"), InvalidAddress::TooMuch.into()),
        ] {
            assert_eq!(text.parse::<WitnessAddress>(), Err(why), "{text}");
        }
    }

    #[test]
    fn witnesses_must_be_told_apart_and_suffice() {
        let two = vec![witness("w1"), witness("w2")];
        assert_eq!(Witnesses::new(vec![], None).unwrap().min(), 0);
        assert_eq!(Witnesses::new(two.clone(), None).unwrap().min(), 1);
        assert_eq!(Witnesses::new(two.clone(), Some(0)).unwrap().min(), 0);
        assert_eq!(Witnesses::new(two.clone(), Some(2)).unwrap().min(), 2);
        assert_eq!(Witnesses::new(two, Some(3)), Err(InvalidWitnesses::MoreThanThereAre));
        assert_eq!(Witnesses::new(vec![], Some(1)), Err(InvalidWitnesses::MoreThanThereAre));
        let same = Witnesses::new(vec![witness("w1"), witness("w2"), witness("w1")], None);
        assert_eq!(same, Err(InvalidWitnesses::SameName("w1".to_owned())));
        let many = (0..=Witnesses::COUNT_MAX).map(|n| witness(&format!("w{n}"))).collect();
        assert_eq!(Witnesses::new(many, None), Err(InvalidWitnesses::TooMany(16)));
    }
}
