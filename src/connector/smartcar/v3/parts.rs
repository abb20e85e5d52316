//! What an observation is put together from. One needs several signals, of which the first is
//! essential: without it there is no observation. A signal without a value never becomes one.

use std::collections::HashMap;

use serde_json::Value;

use super::super::form::{Form, Why};
use crate::smartcar::v2::UnitSystem;
use crate::smartcar::v3::signal::{SignalError, SignalMeta, SignalStatus};

/// What a signal is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind<'a> {
    /// Such as `closure-islocked`.
    pub(crate) code: &'a str,
    /// Such as `IsLocked`.
    pub(crate) name: &'a str,
    /// Such as `Closure`.
    pub(crate) group: &'a str,
}

/// A signal with its value.
pub(crate) struct Said {
    /// What it is called: code, name and group.
    pub(crate) code: String,
    /// Its name.
    pub(crate) name: String,
    /// Its group.
    pub(crate) group: &'static str,
    /// Its value.
    pub(crate) body: Value,
}

/// A signal as it was read.
pub(in crate::connector) struct Told {
    pub(in crate::connector) status: Option<SignalStatus>,
    pub(in crate::connector) body: Option<Value>,
    pub(in crate::connector) meta: SignalMeta,
}

impl Told {
    fn value(&self) -> Option<&Value> {
        let succeeded = |status: &SignalStatus| status.value == SignalStatus::SUCCESS;
        let has_value = self.status.as_ref().is_none_or(succeeded);
        self.body.as_ref().filter(|body| has_value && !body.is_null())
    }
}

/// The signals of one answer or event, by their code.
#[derive(Default)]
pub(in crate::connector) struct Signals(pub(in crate::connector) HashMap<String, Told>);

/// Why there is no observation.
pub(in crate::connector) enum Unread {
    /// A signal cannot be right.
    Garbled(Why),
    /// The signal with this code has no value.
    Absent(String),
    /// The cloud says why a signal has no value.
    Failed(SignalError),
}

impl Signals {
    /// The value of a signal that there must be. Without it the error is the one it names.
    pub(super) fn value(&self, code: &str) -> Result<&Value, Unread> {
        let absent = || Unread::Absent(code.to_owned());
        let told = self.0.get(code).ok_or_else(absent)?;
        told.value().ok_or_else(|| {
            let error = told.status.as_ref().and_then(|status| status.error.clone());
            error.map_or_else(absent, Unread::Failed)
        })
    }

    /// The values of all signals whose code begins like this, by the rest of their code.
    pub(super) fn beginning_with(&self, prefix: &str) -> Vec<(&str, &Value)> {
        let told = self
            .0
            .iter()
            .filter_map(|(code, told)| Some((code.strip_prefix(prefix)?, told.body.as_ref()?)));
        let mut found: Vec<_> = told.collect();
        found.sort_unstable_by_key(|(rest, _)| *rest);
        found
    }
}

/// A part of an observation that stands in one signal or in several.
pub(super) trait Part {
    /// What it is.
    type Of;

    /// The signals it may stand in.
    fn kinds(&self) -> Vec<Kind<'static>>;

    /// What the signals say.
    fn read(&self, signals: &Signals) -> Result<Self::Of, Unread>;

    /// The signals that say it; none for what is not known.
    fn write(&self, value: &Self::Of) -> Vec<Said>;
}

fn written<F: Form>(kind: Kind<'static>, form: &F, value: &F::Of) -> Vec<Said> {
    let body = form.write(value, UnitSystem::Metric);
    if body.is_null() {
        return Vec::new();
    }
    let Kind { code, name, group } = kind;
    vec![Said { code: code.to_owned(), name: name.to_owned(), group, body }]
}

/// A signal that there must be.
pub(super) struct Must<F>(pub(super) Kind<'static>, pub(super) F);

impl<F: Form> Part for Must<F> {
    type Of = F::Of;

    fn kinds(&self) -> Vec<Kind<'static>> {
        vec![self.0]
    }

    fn read(&self, signals: &Signals) -> Result<F::Of, Unread> {
        let body = signals.value(self.0.code)?;
        self.1.read(Some(body), UnitSystem::Metric).map_err(Unread::Garbled)
    }

    fn write(&self, value: &F::Of) -> Vec<Said> {
        written(self.0, &self.1, value)
    }
}

/// A signal that need not be there.
pub(super) struct May<F>(pub(super) Kind<'static>, pub(super) F);

impl<F: Form> Part for May<F> {
    type Of = F::Of;

    fn kinds(&self) -> Vec<Kind<'static>> {
        vec![self.0]
    }

    fn read(&self, signals: &Signals) -> Result<F::Of, Unread> {
        let body = signals.0.get(self.0.code).and_then(Told::value);
        self.1.read(body, UnitSystem::Metric).map_err(Unread::Garbled)
    }

    fn write(&self, value: &F::Of) -> Vec<Said> {
        written(self.0, &self.1, value)
    }
}

/// A list that stands in two signals.
pub(super) struct Both<A, B>(pub(super) A, pub(super) B);

impl<T, A: Part<Of = Vec<T>>, B: Part<Of = Vec<T>>> Part for Both<A, B> {
    type Of = Vec<T>;

    fn kinds(&self) -> Vec<Kind<'static>> {
        [self.0.kinds(), self.1.kinds()].concat()
    }

    fn read(&self, signals: &Signals) -> Result<Vec<T>, Unread> {
        let mut all = self.0.read(signals)?;
        all.extend(self.1.read(signals)?);
        Ok(all)
    }

    fn write(&self, value: &Vec<T>) -> Vec<Said> {
        let mut all = self.0.write(value);
        all.extend(self.1.write(value));
        all
    }
}

/// A struct of which each field is a part; the first is essential. A field that is forgotten does
/// not compile.
macro_rules! several {
    ($content:ident { $($field:ident: $part:expr),* $(,)? }) => {{
        struct Several;

        impl $crate::connector::smartcar::v3::parts::Part for Several {
            type Of = $crate::domain::reading::$content;

            fn kinds(&self) -> Vec<$crate::connector::smartcar::v3::parts::Kind<'static>> {
                [$($part.kinds(),)*].concat()
            }

            fn read(
                &self,
                signals: &$crate::connector::smartcar::v3::parts::Signals,
            ) -> Result<Self::Of, $crate::connector::smartcar::v3::parts::Unread> {
                Ok(Self::Of { $($field: $part.read(signals)?,)* })
            }

            fn write(
                &self,
                value: &Self::Of,
            ) -> Vec<$crate::connector::smartcar::v3::parts::Said> {
                [$($part.write(&value.$field),)*].into_iter().flatten().collect()
            }
        }

        Several
    }};
}
pub(super) use several;
