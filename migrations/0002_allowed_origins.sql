-- The origins of web apps whose scripts may read what the service answers to people of the organization.
CREATE TABLE allowed_origins (
    organization_id UUID NOT NULL REFERENCES organizations (organization_id),
    origin TEXT NOT NULL,
    PRIMARY KEY (organization_id, origin)
);
