-- What is held to be true, and how things are linked. All of it was taken from passages and goes with them.

CREATE TABLE entities (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,                            -- as people write it
    key TEXT NOT NULL UNIQUE,                      -- as it is compared: lower case, single spaces
    kind INTEGER NOT NULL,                         -- 0 entity, 1 event
    at_ms BIGINT NOT NULL                          -- first named; an event: when it happens
);
CREATE TABLE facts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    subject_id BIGINT NOT NULL REFERENCES entities (id) ON DELETE CASCADE,
    relation TEXT NOT NULL,
    object TEXT NOT NULL,
    object_id BIGINT REFERENCES entities (id) ON DELETE SET NULL,  -- where the object is an entity itself
    valid_from_ms BIGINT NOT NULL,
    valid_to_ms BIGINT,
    recorded_ms BIGINT NOT NULL,
    superseded_by BIGINT REFERENCES facts (id) ON DELETE SET NULL
);
CREATE INDEX facts_by_subject ON facts (subject_id, relation);
CREATE INDEX facts_by_object ON facts (object_id) WHERE object_id IS NOT NULL;
-- The passages that a fact came from: it goes with the last of them.
CREATE TABLE fact_sources (
    fact_id BIGINT NOT NULL REFERENCES facts (id) ON DELETE CASCADE,
    passage_id BIGINT NOT NULL REFERENCES passages (id) ON DELETE CASCADE,
    PRIMARY KEY (fact_id, passage_id)
) WITHOUT ROWID;
CREATE INDEX fact_sources_by_passage ON fact_sources (passage_id);
-- Which passages name which entities.
CREATE TABLE mentions (
    entity_id BIGINT NOT NULL REFERENCES entities (id) ON DELETE CASCADE,
    passage_id BIGINT NOT NULL REFERENCES passages (id) ON DELETE CASCADE,
    PRIMARY KEY (entity_id, passage_id)
) WITHOUT ROWID;
CREATE INDEX mentions_by_passage ON mentions (passage_id);
-- Passages whose facts have yet to be taken.
CREATE TABLE extraction_outbox (
    passage_id BIGINT PRIMARY KEY NOT NULL REFERENCES passages (id) ON DELETE CASCADE,
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before_ms BIGINT NOT NULL DEFAULT 0
);
-- A summary is a passage; this is what it sums up.
CREATE TABLE summaries (
    id INTEGER PRIMARY KEY REFERENCES passages (id) ON DELETE CASCADE,
    conversation_id BIGINT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    first_turn BIGINT NOT NULL,
    last_turn BIGINT NOT NULL,                     -- the cursor: the next summary goes on after it
    from_ms BIGINT NOT NULL,
    to_ms BIGINT NOT NULL,
    model TEXT NOT NULL
);
CREATE INDEX summaries_by_conversation ON summaries (conversation_id, last_turn);
-- What a summary sums up, message by message, so that it goes when one of them is forgotten.
CREATE TABLE summary_sources (
    summary_id BIGINT NOT NULL REFERENCES summaries (id) ON DELETE CASCADE,
    passage_id BIGINT NOT NULL REFERENCES passages (id) ON DELETE CASCADE,
    PRIMARY KEY (summary_id, passage_id)
) WITHOUT ROWID;
CREATE INDEX summary_sources_by_passage ON summary_sources (passage_id);
-- What the model was shown for a turn.
CREATE TABLE shown (
    turn_id BIGINT PRIMARY KEY NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    document TEXT NOT NULL                         -- JSON
);
CREATE TABLE shown_passages (
    turn_id BIGINT NOT NULL REFERENCES shown (turn_id) ON DELETE CASCADE,
    passage_id BIGINT NOT NULL,
    PRIMARY KEY (turn_id, passage_id)
) WITHOUT ROWID;
CREATE INDEX shown_by_passage ON shown_passages (passage_id);
