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
CREATE INDEX facts_by_subject ON facts (subject_id, relation, valid_from_ms);
-- Newest first of all that is said about an entity: an index on one column ends with the row's number.
CREATE INDEX facts_of_subject ON facts (subject_id);
CREATE INDEX facts_by_object ON facts (object_id) WHERE object_id IS NOT NULL;
CREATE INDEX facts_by_successor ON facts (superseded_by) WHERE superseded_by IS NOT NULL;
-- That a fact ended was known from its successor alone: when that one goes, the fact holds as long as that one did.
CREATE TRIGGER facts_delete BEFORE DELETE ON facts BEGIN
    UPDATE facts SET valid_to_ms = old.valid_to_ms, superseded_by = old.superseded_by WHERE superseded_by = old.id;
END;
-- The passages that a fact came from: it goes with the last of them.
CREATE TABLE fact_sources (
    fact_id BIGINT NOT NULL REFERENCES facts (id) ON DELETE CASCADE,
    passage_id BIGINT NOT NULL REFERENCES passages (id) ON DELETE CASCADE,
    said_ms BIGINT NOT NULL,                       -- from when on it holds, by this passage alone
    PRIMARY KEY (fact_id, passage_id)
) WITHOUT ROWID;
CREATE INDEX fact_sources_by_passage ON fact_sources (passage_id);
-- What remains of a fact is what its other sources say, as far as it held; with the last of them it goes.
CREATE TRIGGER fact_sources_delete AFTER DELETE ON fact_sources BEGIN
    DELETE FROM facts WHERE id = old.fact_id AND NOT EXISTS (SELECT 1 FROM fact_sources WHERE fact_id = old.fact_id);
    UPDATE facts SET valid_to_ms = min(
            (SELECT min(said_ms) FROM fact_sources WHERE fact_id = old.fact_id),
            (SELECT coalesce(valid_to_ms, 9223372036854775807) FROM facts WHERE id = old.fact_id))
        WHERE superseded_by = old.fact_id AND valid_to_ms = (SELECT valid_from_ms FROM facts WHERE id = old.fact_id);
    UPDATE facts SET valid_from_ms = min(
            (SELECT min(said_ms) FROM fact_sources WHERE fact_id = old.fact_id),
            coalesce(valid_to_ms, 9223372036854775807))
        WHERE id = old.fact_id;
END;
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
    stage INTEGER NOT NULL DEFAULT 0,              -- 0 to be read by rules, 1 then by a model
    attempts INTEGER NOT NULL DEFAULT 0,           -- of the model
    not_before_ms BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX extraction_outbox_by_time ON extraction_outbox (stage, not_before_ms);
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
