//! P7: the record is one tree, of which every checkpoint that somebody kept is a beginning, and
//! what it says can be true.

use keylend::audit::replay::Replay;
use keylend::audit::verify::{Contradiction, Fault, Verifier};

use super::index::Index;
use super::{Findings, History, Promise, Violation};

pub(super) fn check(index: &Index<'_>, findings: &mut Findings) {
    let mut verifier = Verifier::new(index.history.heads.clone());
    let leaves = index.history.leaves.iter();
    let verified = leaves
        .map(|leaf| leaf.as_slice())
        .try_for_each(|leaf| verifier.push(leaf, None))
        .and_then(|()| verifier.finish().map(drop));
    if let Err(finding) = verified {
        findings.add(promise(&finding.fault), finding.to_string());
    }
    let mut last = None;
    for (position, entry) in index.entries.iter().enumerate() {
        if last.as_ref() == Some(&&entry.entry_id) {
            findings.add(Promise::P7, format!("entry {position} is the one before it"));
        }
        last = Some(&entry.entry_id);
    }
}

/// A decision that does not follow from the record. Only the record of a service says all that this asks for.
pub(crate) fn decided_otherwise(history: &History) -> Option<Violation> {
    let mut replay = Replay::default();
    history.leaves.iter().for_each(|leaf| replay.push(leaf));
    let finding = replay.finish().err()?;
    Some(Violation { promise: Promise::P1, evidence: finding.to_string() })
}

/// What is broken if the record says this.
fn promise(fault: &Fault) -> Promise {
    match fault {
        Fault::Changed
        | Fault::OtherTree
        | Fault::Missing(_)
        | Fault::Surplus
        | Fault::Bundle(_)
        | Fault::Tile => Promise::P7,
        Fault::Contradiction(contradiction) => match contradiction {
            Contradiction::Malformed(_) => Promise::P7,
            Contradiction::NeverAuthorized(_) => Promise::P1,
            Contradiction::DecidedTwice(_) => Promise::P4,
            Contradiction::ImpossibleTransition { .. } => Promise::P5,
            Contradiction::NeverIssued(_) => Promise::P8,
            Contradiction::AuthorizedAfterEnd(_) | Contradiction::GrantTwice(_) => Promise::P2,
        },
    }
}
