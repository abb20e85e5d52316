//! What a caller can ask the service to do: the rows of the table in [`super`].

words! {
    /// What a caller can ask the service to do.
    Operation {
        /// Create the account of a member.
        CreateUser = "users.create",
        /// Create the account of somebody with an office: an administrator, support, an auditor.
        CreateOfficer = "users.create_officer",
        /// Make a link by which a person comes to an account without credentials.
        CreateClaim = "claims.create",
        /// Take an account's credentials away and make a link to it: for an account that has some, and for an
        /// administrator's.
        RecoverUser = "users.recover",
        /// List the accounts of the organization.
        ListUsers = "users.list",
        /// See one account.
        GetUser = "users.get",
        /// Give an account the organization's own name.
        NameUser = "users.name",
        /// The same for an account that another program, or a person, made.
        NameUserOfAnother = "users.name_of_another",
        /// Close an account.
        DisableUser = "users.disable",
        /// Open a closed account again.
        EnableUser = "users.enable",
        /// End every session of a person.
        EndSessionsOfUser = "users.end_sessions",
        /// List the keys of a person's devices.
        ListDeviceKeys = "device_keys.list",
        /// End what a device that is lost can show, and let nothing be bound to it again.
        RevokeDeviceKey = "device_keys.revoke",
        /// Change one's own password.
        ChangePassword = "users.change_password",
        /// Let an API client act for oneself.
        AllowClient = "allowed_clients.allow",
        /// List the API clients that one has allowed.
        ListAllowedClients = "allowed_clients.list",
        /// Take back that an API client may act for oneself.
        DisallowClient = "allowed_clients.disallow",
        /// List one's own sessions.
        ListSessions = "sessions.list",
        /// End one of one's own sessions.
        EndSession = "sessions.end",
        /// Erase what is known of a person.
        EraseUser = "users.erase",
        /// Create credentials for a program.
        CreateApiClient = "api_clients.create",
        /// List the programs of the organization.
        ListApiClients = "api_clients.list",
        /// Make a new secret for a program.
        RotateApiClient = "api_clients.rotate_secret",
        /// Put another program in the place of one.
        ReplaceApiClient = "api_clients.replace",
        /// Take a program's rights away.
        RevokeApiClient = "api_clients.revoke",
        /// See where apps may have browsers back after a consent.
        ListReturnUrls = "return_urls.list",
        /// Say where apps may have browsers back after a consent.
        ReplaceReturnUrls = "return_urls.replace",
        /// See from which origins scripts may read answers.
        ListAllowedOrigins = "allowed_origins.list",
        /// Say from which origins scripts may read answers.
        AllowOrigins = "allowed_origins.replace",
        /// Send an owner to the vehicle cloud to connect cars.
        StartConnection = "connections.start",
        /// Show that the browser that consented was one's own.
        CompleteConnection = "connections.complete",
        /// List connections.
        ListConnections = "connections.list",
        /// See a connection.
        GetConnection = "connections.get",
        /// Mend the account with the maker that stands behind a connection.
        Reauthenticate = "connections.reauthenticate",
        /// End a connection.
        Disconnect = "connections.disconnect",
        /// List cars.
        ListVehicles = "vehicles.list",
        /// See one car.
        GetVehicle = "vehicles.get",
        /// Say what a car looks like and is called.
        DescribeVehicle = "vehicles.describe",
        /// Give a car the organization's own name.
        NameVehicle = "vehicles.name",
        /// Let another person take a car with a consent of their own, or take that back.
        TransferVehicle = "vehicles.transfer",
        /// Ask for a reading of a car; the policy decides.
        ReadVehicle = "vehicles.read",
        /// Ask for a command to a car; the policy decides.
        SendCommand = "commands.send",
        /// Ask what the policy would say.
        CheckAccess = "access_checks.create",
        /// Ask who may use a car.
        ListAccess = "access_checks.who",
        /// See one command.
        GetCommand = "commands.get",
        /// List the commands of a car.
        ListCommands = "commands.list",
        /// Lend a car.
        IssueGrant = "grants.issue",
        /// List grants.
        ListGrants = "grants.list",
        /// See one grant.
        GetGrant = "grants.get",
        /// Get the signed form of a grant.
        MintToken = "grants.mint_token",
        /// List the tokens of a grant that can still be shown.
        ListTokens = "grants.list_tokens",
        /// End one token of a grant.
        EndToken = "grants.end_token",
        /// Change a grant.
        AmendGrant = "grants.amend",
        /// Ask to use a grant for longer.
        RequestExtension = "grants.request_extension",
        /// Decide whether a grant is used for longer.
        DecideExtension = "grants.decide_extension",
        /// Move a grant to another car.
        SwitchVehicle = "grants.switch_vehicle",
        /// Change a grant so that it allows less, and nothing new.
        NarrowGrant = "grants.narrow",
        /// End a grant.
        RevokeGrant = "grants.revoke",
        /// Stand by a grant that waits for the owner's word.
        ConfirmGrant = "grants.confirm",
        /// Give a grant back.
        RelinquishGrant = "grants.relinquish",
        /// Ask whether the car of a grant is as it is to be given back.
        CheckEnd = "grants.check_end",
        /// See how a grant was used.
        GetStatement = "grants.get_statement",
        /// Place and lift holds over a grant.
        HoldGrant = "grants.hold",
        /// Place and lift holds over what a person may do.
        HoldUser = "users.hold",
        /// Place and lift holds over what people may do with a car.
        HoldVehicle = "vehicles.hold",
        /// Place and lift holds over all of the organization.
        HoldOrganization = "organization.hold",
        /// End all that a person was lent.
        EndGrantsOfUser = "users.end_grants",
        /// End all that was lent of a car.
        EndGrantsOfVehicle = "vehicles.end_grants",
        /// End all that was lent in the organization.
        EndGrantsOfOrganization = "organization.end_grants",
        /// Take a car out of the service.
        RemoveVehicle = "vehicles.remove",
        /// List holds.
        ListHolds = "holds.list",
        /// Have events sent to an address.
        CreateWebhookEndpoint = "webhook_endpoints.create",
        /// See where events are sent, and what became of them.
        ListWebhookEndpoints = "webhook_endpoints.list",
        /// Pause, resume, test and delete such an address, and give it another secret.
        ChangeWebhookEndpoint = "webhook_endpoints.change",
        /// Read events as they happen.
        ListEvents = "events.list",
        /// Be told of one event.
        SeeEvent = "events.see",
        /// Read the record.
        ListAuditEntries = "audit_entries.list",
        /// Get the proof that an entry is in the record.
        ProveAuditEntry = "audit_entries.prove",
    }
}
