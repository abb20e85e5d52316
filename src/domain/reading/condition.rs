//! What is wrong with a car, and what was done about it.

use serde::Serialize;
use utoipa::ToSchema;

/// The systems that a car watches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SystemStatus {
    /// One for each system that the maker reports.
    pub systems: Vec<SystemCondition>,
}

/// One system of a car.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SystemCondition {
    /// Such as `SYSTEM_TPMS`.
    pub system_id: String,
    /// `ok` or `alert`.
    pub status: String,
    /// What the maker says about it.
    pub description: Option<String>,
}

/// The trouble codes that are active.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TroubleCodes {
    /// All of them.
    pub active_codes: Vec<TroubleCode>,
}

/// A diagnostic trouble code (SAE J2012).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TroubleCode {
    /// Such as `P302D`.
    pub code: String,
    /// When it was set, ISO 8601, as the maker writes it.
    pub set_at: Option<String>,
}

/// Visits to the workshop.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ServiceHistory {
    /// In the order of the cloud.
    pub records: Vec<ServiceRecord>,
}

/// One visit to the workshop.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ServiceRecord {
    /// The maker's name of the visit.
    pub service_id: Option<String>,
    /// Kilometers at the time.
    pub odometer_km: Option<f64>,
    /// ISO 8601, as the maker writes it.
    pub serviced_at: Option<String>,
    /// What was done.
    pub tasks: Vec<ServiceTask>,
    /// What else is known.
    pub details: Vec<ServiceDetail>,
    /// What it cost, in units of the currency.
    pub total_cost: Option<f64>,
    /// ISO 4217.
    pub currency: Option<String>,
}

/// A task of a visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ServiceTask {
    /// The maker's name of the task.
    pub task_id: Option<String>,
    /// In words.
    pub description: Option<String>,
}

/// Something else that is known of a visit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ServiceDetail {
    /// What it is about, in the maker's words.
    pub kind: String,
    /// In words.
    pub value: Option<String>,
}
