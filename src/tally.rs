//! How often the cases of a property test came to what the test is about. A generator that never
//! meets the interesting case proves nothing, so a test counts, and asserts on the counts. Compiled
//! for tests only.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Display;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};

/// What the cases met, by name.
#[derive(Debug, Default)]
pub(crate) struct Tally(RefCell<BTreeMap<String, usize>>);

impl Tally {
    /// Tries a property on so many cases; each of them counts what it meets.
    pub(crate) fn of<S: Strategy>(
        cases: u32,
        strategy: S,
        property: impl Fn(S::Value, &Self) -> TestCaseResult,
    ) -> Self {
        let tally = Self::default();
        let config = Config { failure_persistence: None, ..Config::with_cases(cases) };
        let mut runner = TestRunner::new(config);
        if let Err(failure) = runner.run(&strategy, |case| property(case, &tally)) {
            panic!("{failure}");
        }
        tally
    }

    /// Counts one.
    pub(crate) fn count(&self, what: impl Display) {
        *self.0.borrow_mut().entry(what.to_string()).or_default() += 1;
    }

    /// Counts one if something is so.
    pub(crate) fn count_if(&self, is_so: bool, what: impl Display) {
        if is_so {
            self.count(what);
        }
    }

    /// Asserts that each of these was met at least so often.
    pub(crate) fn assert_each<W: Display>(&self, least: usize, each: impl IntoIterator<Item = W>) {
        let counts = self.0.borrow();
        for what in each {
            let count = counts.get(&what.to_string()).copied().unwrap_or_default();
            assert!(count >= least, "{what}: met {count} times, not {least}, of {counts:#?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_met_is_counted() {
        let tally = Tally::of(40, 0_u8..2, |bit, tally| {
            tally.count("case");
            tally.count_if(bit == 2, "two");
            Ok(())
        });
        tally.assert_each(40, ["case"]);
        let lacks = |what: &str| {
            let asserting = std::panic::AssertUnwindSafe(|| tally.assert_each(1, [what]));
            std::panic::catch_unwind(asserting).is_err()
        };
        assert!(lacks("two") && lacks("three") && !lacks("case"));
    }
}
