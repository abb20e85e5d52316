//! What happens at the one place that is armed, if one is.

use std::process::Command;
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Failpoint;

static ARMED: OnceLock<Armed> = OnceLock::new();

#[derive(Debug)]
struct Armed {
    arming: Arming,
    passes: AtomicU64,
}

/// What happens to the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    /// It ends at once; nothing is written, closed or said to anybody.
    End,
    /// It stands still, with all its threads, until it gets SIGCONT.
    Stop,
    /// The task that came here panics.
    Panic,
}

/// Which place strikes, when and how: `gate.decided`, `gate.decided:3`, `send.checked:1:stop`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arming {
    point: Failpoint,
    /// At this pass, counted from 1, and at no other.
    pass: u64,
    blow: Blow,
}

/// A text that arms nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a failpoint, such as gate.decided:3 or send.checked:1:stop")]
pub struct InvalidArming(String);

impl FromStr for Arming {
    type Err = InvalidArming;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidArming(text.chars().take(64).collect());
        let mut parts = text.split(':');
        let point = parts.next().and_then(|name| name.parse().ok()).ok_or_else(invalid)?;
        let pass = parts.next().map_or(Ok(1), str::parse).map_err(|_| invalid())?;
        let blow = match parts.next() {
            None => Blow::End,
            Some("stop") => Blow::Stop,
            Some("panic") => Blow::Panic,
            Some(_) => return Err(invalid()),
        };
        if pass == 0 || parts.next().is_some() {
            return Err(invalid());
        }
        Ok(Self { point, pass, blow })
    }
}

/// Arms one place, for good; whoever armed one first has armed it.
pub fn arm(arming: Arming) {
    ARMED.get_or_init(|| Armed { arming, passes: AtomicU64::new(0) });
}

/// The process has come to this place.
pub fn reached(point: Failpoint) {
    let Some(armed) = ARMED.get().filter(|armed| armed.arming.point == point) else { return };
    if armed.passes.fetch_add(1, Ordering::Relaxed).wrapping_add(1) != armed.arming.pass {
        return;
    }
    match armed.arming.blow {
        Blow::End => std::process::abort(),
        Blow::Stop => stand_still(),
        Blow::Panic => panic(),
    }
}

#[expect(clippy::panic, reason = "it is what a test has asked for")]
fn panic() {
    panic!("a failpoint")
}

fn stand_still() {
    let id = std::process::id().to_string();
    match Command::new("kill").args(["-STOP", &id]).status() {
        Ok(status) if status.success() => {}
        // A test that relies on it must not go on as if nothing had been asked for.
        _ => std::process::abort(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arming_names_a_place_a_pass_and_a_blow() {
        let arming = |text: &str| text.parse::<Arming>().map_err(|error| error.to_string());
        let point = Failpoint::GateDecided;
        let once = Arming { point, pass: 1, blow: Blow::End };
        assert_eq!(arming("gate.decided"), Ok(once));
        assert_eq!(arming("gate.decided:7"), Ok(Arming { pass: 7, ..once }));
        assert_eq!(arming("gate.decided:1:stop"), Ok(Arming { blow: Blow::Stop, ..once }));
        for text in ["", "gate", "gate.decided:0", "gate.decided:x", "gate.decided:1:stop:1"] {
            assert!(arming(text).is_err(), "{text}");
        }
    }
}
