//! The table of documented errors: type, code, HTTP status, what helps, and the sentences for the
//! developer and for the person at the car. It is data; the shape of the body is in
//! [`super::error`].

macro_rules! error_kinds {
    ($($variant:ident = $error_type:literal, $code:expr, $status:literal, $resolution:expr,
        $description:literal, $message:expr;)*) => {
        /// A documented error of API v2.0.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorKind { $(#[doc = $description] $variant,)* }

        impl ErrorKind {
            /// Every documented error.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            const fn row(self) -> Row {
                match self {
                    $(Self::$variant => Row {
                        error_type: $error_type,
                        code: $code,
                        status: $status,
                        resolution: $resolution,
                        description: $description,
                        message: $message,
                    },)*
                }
            }
        }
    };
}

/// What the table says about one error.
#[derive(Clone, Copy)]
struct Row {
    error_type: &'static str,
    code: Option<&'static str>,
    status: u16,
    resolution: Option<&'static str>,
    description: &'static str,
    message: Option<&'static str>,
}

impl ErrorKind {
    /// The documented error of this type and code; a code that is not known finds nothing.
    #[must_use]
    pub fn find(error_type: &str, code: Option<&str>) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|kind| kind.error_type() == error_type && kind.code() == code)
    }

    /// The family, such as `VEHICLE_STATE`.
    #[must_use]
    pub const fn error_type(self) -> &'static str {
        self.row().error_type
    }

    /// The member of the family, such as `ASLEEP`.
    #[must_use]
    pub const fn code(self) -> Option<&'static str> {
        self.row().code
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.row().status
    }

    /// What helps, such as `RETRY_LATER`.
    #[must_use]
    pub const fn resolution(self) -> Option<&'static str> {
        self.row().resolution
    }

    /// Where the owner is sent, for the one error that has a fixed address.
    #[must_use]
    pub const fn resolution_url(self) -> Option<&'static str> {
        match self {
            Self::AccountVirtualKeyRequired => Some("https://www.tesla.com/_ak/smartcar.com"),
            _ => None,
        }
    }

    /// A sentence for the developer.
    #[must_use]
    pub const fn description(self) -> &'static str {
        self.row().description
    }

    /// A sentence for the person at the car.
    #[must_use]
    pub const fn user_message(self) -> Option<&'static str> {
        self.row().message
    }
}

error_kinds! {
    Authentication = "AUTHENTICATION", None, 401, None,
        "The access token is missing, malformed, expired or revoked.",
        None;
    Permission = "PERMISSION", None, 403, Some("REAUTHENTICATE"),
        "The owner has not given the permission that this request needs.",
        Some("Your car has not given this app the permission it needs. Please connect it again.");
    Validation = "VALIDATION", None, 400, None,
        "The request is not well-formed.",
        None;
    ValidationParameter = "VALIDATION", Some("PARAMETER"), 400, None,
        "A parameter of the request is missing or not valid.",
        None;
    ResourceNotFoundPath = "RESOURCE_NOT_FOUND", Some("PATH"), 404, None,
        "The requested path does not exist.",
        None;
    ResourceNotFoundVersion = "RESOURCE_NOT_FOUND", Some("VERSION"), 404, None,
        "The requested version of the API does not exist.",
        None;
    VehicleStateAsleep = "VEHICLE_STATE", Some("ASLEEP"), 409, None,
        "The car is asleep and did not wake up.",
        Some("Your car is asleep. Please start it or open the maker's app, and try again.");
    VehicleStateUnreachable = "VEHICLE_STATE", Some("UNREACHABLE"), 409, None,
        "The car could not be reached.",
        Some("Your car cannot be reached. It may be parked where there is no reception.");
    VehicleStateInMotion = "VEHICLE_STATE", Some("IN_MOTION"), 409, None,
        "The car cannot do this while it is moving.",
        Some("Your car is moving. Please park it and try again.");
    VehicleStateIgnitionOn = "VEHICLE_STATE", Some("IGNITION_ON"), 409, None,
        "The car cannot do this while its ignition is on.",
        Some("Please turn your car off and try again.");
    VehicleStateChargingInProgress = "VEHICLE_STATE", Some("CHARGING_IN_PROGRESS"), 409, None,
        "The car cannot do this while it is charging.",
        Some("Your car is charging. Please try again when it has finished.");
    VehicleStateChargingPlugConnected = "VEHICLE_STATE", Some("CHARGING_PLUG_CONNECTED"), 409, None,
        "The car cannot do this while it is plugged in.",
        Some("Please unplug your car and try again.");
    VehicleStateChargingPlugNotConnected = "VEHICLE_STATE", Some("CHARGING_PLUG_NOT_CONNECTED"), 409, None,
        "The car cannot do this while it is not plugged in.",
        Some("Please plug your car in and try again.");
    VehicleStateChargeFault = "VEHICLE_STATE", Some("CHARGE_FAULT"), 409, None,
        "The car reports a fault of its charging.",
        Some("Your car reports a charging fault. Please check the plug and the charger.");
    VehicleStateFullyCharged = "VEHICLE_STATE", Some("FULLY_CHARGED"), 409, None,
        "The car is fully charged.",
        Some("Your car is already fully charged.");
    VehicleStateNotCharging = "VEHICLE_STATE", Some("NOT_CHARGING"), 409, None,
        "The car is not charging.",
        Some("Your car is not charging.");
    VehicleStateDoorOpen = "VEHICLE_STATE", Some("DOOR_OPEN"), 409, None,
        "The car cannot do this while a door is open.",
        Some("Please close all doors and try again.");
    VehicleStateHoodOpen = "VEHICLE_STATE", Some("HOOD_OPEN"), 409, None,
        "The car cannot do this while its hood is open.",
        Some("Please close the hood and try again.");
    VehicleStateTrunkOpen = "VEHICLE_STATE", Some("TRUNK_OPEN"), 409, None,
        "The car cannot do this while its trunk is open.",
        Some("Please close the trunk and try again.");
    VehicleStateRemoteAccessDisabled = "VEHICLE_STATE", Some("REMOTE_ACCESS_DISABLED"), 409, None,
        "Remote access is turned off in the car.",
        Some("Please turn on remote access in your car and try again.");
    VehicleStateVehicleOfflineForService = "VEHICLE_STATE", Some("VEHICLE_OFFLINE_FOR_SERVICE"), 409, None,
        "The car is in service mode.",
        Some("Your car is being serviced. Please try again later.");
    VehicleStateUnknown = "VEHICLE_STATE", Some("UNKNOWN"), 409, Some("RETRY_LATER"),
        "The car cannot do this in its present state.",
        Some("Your car could not do this now. Please try again later.");
    VehicleStateLowBattery = "VEHICLE_STATE", Some("LOW_BATTERY"), 409, Some("RETRY_LATER"),
        "The battery of the car is too low for this.",
        Some("The battery of your car is too low. Please charge it and try again.");
    RateLimitSmartcarApi = "RATE_LIMIT", Some("SMARTCAR_API"), 429, Some("RETRY_LATER"),
        "The application has sent too many requests.",
        Some("Too many requests. Please try again later.");
    RateLimitVehicle = "RATE_LIMIT", Some("VEHICLE"), 429, Some("RETRY_LATER"),
        "This car has received too many requests.",
        Some("Your car has received too many requests. Please wait a moment.");
    BillingVehicleLimit = "BILLING", Some("VEHICLE_LIMIT"), 430, Some("CONTACT_SUPPORT"),
        "The plan allows no more cars.",
        None;
    BillingInvalidPlan = "BILLING", Some("INVALID_PLAN"), 430, Some("CONTACT_SUPPORT"),
        "The plan does not include this request.",
        None;
    BillingVehicleRequestLimit = "BILLING", Some("VEHICLE_REQUEST_LIMIT"), 430, Some("CONTACT_SUPPORT"),
        "The plan allows no more requests for this car.",
        None;
    BillingAccountSuspended = "BILLING", Some("ACCOUNT_SUSPENDED"), 430, Some("FINANCE"),
        "The account of the application is suspended.",
        None;
    ServerInternal = "SERVER", Some("INTERNAL"), 500, Some("RETRY_LATER"),
        "An unexpected error happened in the vehicle cloud.",
        Some("Something went wrong. Please try again later.");
    ServerMultipleRecordsFound = "SERVER", Some("MULTIPLE_RECORDS_FOUND"), 500, Some("CONTACT_SUPPORT"),
        "More than one record was found where one was expected.",
        None;
    ServerRecordNotFound = "SERVER", Some("RECORD_NOT_FOUND"), 500, Some("CONTACT_SUPPORT"),
        "A record that was expected was not found.",
        None;
    CompatibilityMakeNotCompatible = "COMPATIBILITY", Some("MAKE_NOT_COMPATIBLE"), 501, None,
        "Cars of this make are not supported.",
        Some("Cars of this make are not supported.");
    CompatibilitySmartcarNotCapable = "COMPATIBILITY", Some("SMARTCAR_NOT_CAPABLE"), 501, None,
        "The vehicle cloud does not support this for this car.",
        Some("This is not supported for your car.");
    CompatibilityVehicleNotCapable = "COMPATIBILITY", Some("VEHICLE_NOT_CAPABLE"), 501, None,
        "The car is not able to do this.",
        Some("Your car is not able to do this.");
    CompatibilityPlatformNotCapable = "COMPATIBILITY", Some("PLATFORM_NOT_CAPABLE"), 501, Some("REAUTHENTICATE"),
        "The maker's platform that the car is on does not support this.",
        Some("Please move your car to the maker's newer platform and connect it again.");
    UpstreamInvalidData = "UPSTREAM", Some("INVALID_DATA"), 502, Some("RETRY_LATER"),
        "The maker's cloud sent data that cannot be used.",
        Some("Your car's maker did not answer properly. Please try again later.");
    UpstreamKnownIssue = "UPSTREAM", Some("KNOWN_ISSUE"), 502, Some("RETRY_LATER"),
        "The maker's cloud has a known problem.",
        Some("Your car's maker did not answer properly. Please try again later.");
    UpstreamNoResponse = "UPSTREAM", Some("NO_RESPONSE"), 502, Some("RETRY_LATER"),
        "The maker's cloud did not answer.",
        Some("Your car's maker did not answer properly. Please try again later.");
    UpstreamRateLimit = "UPSTREAM", Some("RATE_LIMIT"), 502, Some("RETRY_LATER"),
        "The maker's cloud limits requests.",
        Some("Your car's maker did not answer properly. Please try again later.");
    UpstreamUnknownIssue = "UPSTREAM", Some("UNKNOWN_ISSUE"), 502, Some("RETRY_LATER"),
        "The maker's cloud answered with an unknown error.",
        Some("Your car's maker did not answer properly. Please try again later.");
    AccountAccountIssue = "CONNECTED_SERVICES_ACCOUNT", Some("ACCOUNT_ISSUE"), 400, None,
        "The owner's account with the maker needs attention.",
        Some("Please check your account in the app of your car's maker.");
    AccountNoVehicles = "CONNECTED_SERVICES_ACCOUNT", Some("NO_VEHICLES"), 400, None,
        "The owner's account with the maker has no cars.",
        Some("Please check your account in the app of your car's maker.");
    AccountSubscription = "CONNECTED_SERVICES_ACCOUNT", Some("SUBSCRIPTION"), 400, None,
        "The owner's subscription with the maker has ended.",
        Some("Please renew the connected services of your car.");
    AccountVehicleMissing = "CONNECTED_SERVICES_ACCOUNT", Some("VEHICLE_MISSING"), 400, None,
        "The car is no longer in the owner's account with the maker.",
        Some("Please check your account in the app of your car's maker.");
    AccountAuthenticationFailed = "CONNECTED_SERVICES_ACCOUNT", Some("AUTHENTICATION_FAILED"), 400, Some("REAUTHENTICATE"),
        "The maker no longer accepts the owner's login.",
        Some("Please connect your car again.");
    AccountPermission = "CONNECTED_SERVICES_ACCOUNT", Some("PERMISSION"), 400, Some("REAUTHENTICATE"),
        "The owner's account with the maker does not allow this.",
        Some("Please connect your car again.");
    AccountVirtualKeyRequired = "CONNECTED_SERVICES_ACCOUNT", Some("VIRTUAL_KEY_REQUIRED"), 400, Some("ACTION_REQUIRED"),
        "The car does not know the virtual key of the vehicle cloud.",
        Some("Please add the virtual key to your car.");
}
