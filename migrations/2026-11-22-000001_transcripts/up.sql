-- What was said. Text that can be found again is a passage, whatever it is; what a transcript knows beside stands in messages.

CREATE TABLE conversations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    external_id TEXT UNIQUE,                       -- the name that an import gave it
    title TEXT NOT NULL DEFAULT '',
    renamed BOOLEAN NOT NULL DEFAULT 0,            -- by a person: the title stays
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    head BIGINT,                                   -- the last message of the active branch
    pinned BOOLEAN NOT NULL DEFAULT 0,
    draft TEXT NOT NULL DEFAULT '',
    profile TEXT,
    trashed_ms BIGINT,
    context_tokens BIGINT NOT NULL DEFAULT 0       -- of the model that answered last
);
CREATE INDEX conversations_by_update ON conversations (pinned DESC, updated_ms DESC);

CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,                         -- 0 message, 1 memory, 2 summary
    conversation_id BIGINT REFERENCES conversations (id) ON DELETE CASCADE,
    external_id TEXT,                              -- the name that an import gave it
    speaker TEXT NOT NULL,
    text TEXT NOT NULL,
    tags TEXT NOT NULL DEFAULT '',                 -- separated by spaces
    at_ms BIGINT NOT NULL,
    source_id BIGINT REFERENCES passages (id) ON DELETE CASCADE,
    ready BOOLEAN NOT NULL DEFAULT 1,              -- 0 while it is being said: it cannot be found yet
    UNIQUE (conversation_id, external_id)
);
CREATE INDEX passages_by_conversation ON passages (conversation_id, id);
CREATE INDEX passages_by_source ON passages (source_id) WHERE source_id IS NOT NULL;
CREATE INDEX passages_by_kind ON passages (kind, id) WHERE kind <> 0;

CREATE TABLE messages (
    id INTEGER PRIMARY KEY REFERENCES passages (id) ON DELETE CASCADE,
    conversation_id BIGINT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    parent_id BIGINT REFERENCES messages (id),     -- what it follows; NULL: it is the first
    turn_id BIGINT NOT NULL,                       -- the person's message that it is, or belongs to
    part INTEGER NOT NULL,                         -- its place in the exchange that follows the person's message, from 0; -1: it is that message
    attempt BIGINT NOT NULL DEFAULT 0,             -- which answer to the turn it belongs to; a person's message: the newest one
    role INTEGER NOT NULL,                         -- 0 system, 1 user, 2 assistant, 3 tool
    state INTEGER NOT NULL,                        -- 0 streaming, 1 complete, 2 interrupted, 3 failed
    thinking TEXT NOT NULL DEFAULT '',
    tool_calls TEXT NOT NULL DEFAULT '',           -- JSON
    tool_call_id TEXT,
    error TEXT,
    model TEXT NOT NULL DEFAULT '',
    provenance INTEGER NOT NULL DEFAULT 0,
    usage TEXT,                                    -- JSON
    images TEXT NOT NULL DEFAULT ''                -- JSON
);
CREATE INDEX messages_by_parent ON messages (conversation_id, parent_id);
CREATE INDEX messages_of_parent ON messages (parent_id);  -- for the reference: without it each deletion would read all messages
CREATE INDEX messages_by_turn ON messages (turn_id, attempt, part);
CREATE INDEX messages_streaming ON messages (state) WHERE state = 0;
-- What a turn, or another answer to it, was begun with: who asks again with the same key gets the same turn.
CREATE TABLE begun (
    begin_key BIGINT PRIMARY KEY NOT NULL,
    turn_id BIGINT NOT NULL REFERENCES messages (id) ON DELETE CASCADE
);
CREATE INDEX begun_by_turn ON begun (turn_id);
