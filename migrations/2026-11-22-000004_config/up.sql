-- Settings that differ from their defaults, and what the store remembers of its own care.

CREATE TABLE profiles (
    name TEXT PRIMARY KEY NOT NULL
);
CREATE TABLE settings (
    profile TEXT NOT NULL DEFAULT '',              -- '' outside of all profiles
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (profile, key)
) WITHOUT ROWID;
CREATE TABLE notes (
    name TEXT PRIMARY KEY NOT NULL,                -- such as last_retention
    value TEXT NOT NULL                            -- JSON
);
