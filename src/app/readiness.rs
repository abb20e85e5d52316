//! What must work before requests are taken: the database, its schema, the keys, the clock (P9).
//! The vehicle cloud is not among it: each request to it says how it failed.

use async_trait::async_trait;

use crate::http::health::HealthCheck;
use crate::service::Service;
use crate::storage::OpenError;

/// Every check.
pub(super) fn checks(service: &Service) -> Vec<Box<dyn HealthCheck>> {
    vec![
        Box::new(Database(service.clone())),
        Box::new(Migrations(service.clone())),
        Box::new(Keys(service.clone())),
        Box::new(ClockAgrees(service.clone())),
        Box::new(RecordIsSigned(service.clone())),
    ]
}

struct Database(Service);
struct Migrations(Service);
struct Keys(Service);
struct ClockAgrees(Service);
struct RecordIsSigned(Service);

#[async_trait]
impl HealthCheck for Database {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn check(&self) -> Result<(), String> {
        match self.0.base.store.db().is_primary().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(OpenError::NotPrimary.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[async_trait]
impl HealthCheck for Migrations {
    fn name(&self) -> &'static str {
        "migrations"
    }

    async fn check(&self) -> Result<(), String> {
        match self.0.base.store.db().schema_fault().await {
            Ok(None) => Ok(()),
            Ok(Some(fault)) => Err(fault.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[async_trait]
impl HealthCheck for Keys {
    fn name(&self) -> &'static str {
        "keys"
    }

    async fn check(&self) -> Result<(), String> {
        let keys = self.0.base.keys();
        let context = b"readiness";
        let sealed = crate::signing::sealed::seal(&keys, &*self.0.base.entropy, context, context)
            .map_err(|error| error.to_string())?;
        let opened = crate::signing::sealed::open(&keys, context, &sealed);
        opened.map(drop).map_err(|error| error.to_string())
    }
}

#[async_trait]
impl HealthCheck for ClockAgrees {
    fn name(&self) -> &'static str {
        "clock"
    }

    async fn check(&self) -> Result<(), String> {
        self.0.base.clock.dispute().map_or(Ok(()), |dispute| Err(dispute.to_string()))
    }
}

#[async_trait]
impl HealthCheck for RecordIsSigned {
    fn name(&self) -> &'static str {
        "record"
    }

    async fn check(&self) -> Result<(), String> {
        self.0.record.trouble().map_or(Ok(()), Err)
    }
}
