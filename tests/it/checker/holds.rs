//! P2 for holds: what may still be authorized once a hold was answered, until somebody asks that it be lifted or its time
//! is over.

use keylend::domain::time::Timestamp;

use super::history::{Answer, Asked, Request};
use super::index::{Entry, Index};
use super::{Findings, Promise};

pub(super) fn check(index: &Index<'_>, findings: &mut Findings) {
    for request in &index.history.requests {
        if let (Asked::Hold { over, allow_lock, .. }, Some(answer)) =
            (&request.asked, request.success())
        {
            let until: Option<Timestamp> = answer.text("until").map(|until| until.parse().unwrap());
            let hold = Hold { over, allow_lock: *allow_lock, until, placed: request, answer };
            hold.check(index, findings);
        }
    }
}

/// A hold of which somebody was told.
struct Hold<'h> {
    /// The grant, the person or the car.
    over: &'h str,
    allow_lock: bool,
    until: Option<Timestamp>,
    placed: &'h Request,
    answer: &'h Answer,
}

impl Hold<'_> {
    fn check(&self, index: &Index<'_>, findings: &mut Findings) {
        let lifts: Vec<u64> = self.lifts(index).collect();
        for (command_id, life) in &index.commands {
            let is_forbidden = life.authorized.as_ref().is_some_and(|entry| self.forbids(entry));
            let Some(request) = index.authorizing(life).filter(|_| is_forbidden) else { continue };
            let decided_by = request.answer.as_ref().map_or(u64::MAX, |answer| answer.at_us);
            let may_be_lifted = lifts.iter().any(|lift| *lift <= decided_by);
            if request.begun_us > self.answer.at_us && !may_be_lifted {
                let (asked, placed) = (&request.request_id, &self.placed.request_id);
                let evidence = format!(
                    "{placed} placed a hold over {}, and {asked}, which began {} µs after the answer, had \
                     {command_id} authorized",
                    self.over,
                    request.begun_us - self.answer.at_us
                );
                findings.add(Promise::P2, evidence);
            }
        }
    }

    /// When somebody asked that it be lifted.
    fn lifts(&self, index: &Index<'_>) -> impl Iterator<Item = u64> {
        let hold_id = self.answer.text("hold_id").unwrap_or_default();
        let requests = index.history.requests.iter();
        requests.filter_map(move |request| match &request.asked {
            Asked::Lift { hold_id: lifted } if lifted == hold_id => Some(request.begun_us),
            _ => None,
        })
    }

    /// Whether it stands in the way of what an entry says, if it stands by the clock of who decided. The holds of a run are
    /// an owner's and a guest's: they bind who uses a grant.
    fn forbids(&self, authorized: &Entry) -> bool {
        let used = [&authorized.grant_id, &authorized.vehicle_id, &authorized.user_id];
        let is_over = used.into_iter().flatten().any(|id| id == self.over);
        let is_spared = self.allow_lock && authorized.details["action"] == "lock";
        let stands = self.until.is_none_or(|until| authorized.occurred_at < until);
        authorized.grant_id.is_some() && is_over && !is_spared && stands
    }
}
