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
    single BOOLEAN NOT NULL DEFAULT 0,             -- the relation holds one value at a time
    valid_from_ms BIGINT NOT NULL,
    valid_to_ms BIGINT,                            -- where single: made from ended_ms and the next fact's beginning
    ended_ms BIGINT,                               -- somebody said that it ended then
    recorded_ms BIGINT NOT NULL,
    superseded_by BIGINT REFERENCES facts (id) ON DELETE SET NULL
);
CREATE INDEX facts_by_subject ON facts (subject_id, relation, valid_from_ms);
-- Newest first of all that is said about an entity: an index on one column ends with the row's number.
CREATE INDEX facts_of_subject ON facts (subject_id);
CREATE INDEX facts_by_object ON facts (object_id) WHERE object_id IS NOT NULL;
CREATE INDEX facts_by_successor ON facts (superseded_by) WHERE superseded_by IS NOT NULL;
-- Where a relation holds one value at a time, each fact holds until the next one begins; of two that begin at the same
-- instant the one that was recorded later holds. So intervals cannot overlap, whatever comes late, goes or is corrected.
CREATE TRIGGER facts_insert AFTER INSERT ON facts WHEN new.single BEGIN
    UPDATE facts SET
        valid_to_ms = (SELECT max(facts.valid_from_ms, coalesce(min(facts.ended_ms, next_ms), facts.ended_ms, next_ms))
            FROM (SELECT (SELECT n.valid_from_ms FROM facts n
                WHERE n.subject_id = facts.subject_id AND n.relation = facts.relation
                AND (n.valid_from_ms, n.id) > (facts.valid_from_ms, facts.id)
                ORDER BY n.valid_from_ms, n.id LIMIT 1) AS next_ms)),
        superseded_by = (SELECT n.id FROM facts n
            WHERE n.subject_id = facts.subject_id AND n.relation = facts.relation
            AND (n.valid_from_ms, n.id) > (facts.valid_from_ms, facts.id)
            AND (facts.ended_ms IS NULL OR n.valid_from_ms <= facts.ended_ms)
            ORDER BY n.valid_from_ms, n.id LIMIT 1)
        WHERE subject_id = new.subject_id AND relation = new.relation;
END;
CREATE TRIGGER facts_update AFTER UPDATE OF valid_from_ms, ended_ms ON facts WHEN new.single BEGIN
    UPDATE facts SET
        valid_to_ms = (SELECT max(facts.valid_from_ms, coalesce(min(facts.ended_ms, next_ms), facts.ended_ms, next_ms))
            FROM (SELECT (SELECT n.valid_from_ms FROM facts n
                WHERE n.subject_id = facts.subject_id AND n.relation = facts.relation
                AND (n.valid_from_ms, n.id) > (facts.valid_from_ms, facts.id)
                ORDER BY n.valid_from_ms, n.id LIMIT 1) AS next_ms)),
        superseded_by = (SELECT n.id FROM facts n
            WHERE n.subject_id = facts.subject_id AND n.relation = facts.relation
            AND (n.valid_from_ms, n.id) > (facts.valid_from_ms, facts.id)
            AND (facts.ended_ms IS NULL OR n.valid_from_ms <= facts.ended_ms)
            ORDER BY n.valid_from_ms, n.id LIMIT 1)
        WHERE subject_id = new.subject_id AND relation = new.relation;
END;
CREATE TRIGGER facts_delete AFTER DELETE ON facts WHEN old.single BEGIN
    UPDATE facts SET
        valid_to_ms = (SELECT max(facts.valid_from_ms, coalesce(min(facts.ended_ms, next_ms), facts.ended_ms, next_ms))
            FROM (SELECT (SELECT n.valid_from_ms FROM facts n
                WHERE n.subject_id = facts.subject_id AND n.relation = facts.relation
                AND (n.valid_from_ms, n.id) > (facts.valid_from_ms, facts.id)
                ORDER BY n.valid_from_ms, n.id LIMIT 1) AS next_ms)),
        superseded_by = (SELECT n.id FROM facts n
            WHERE n.subject_id = facts.subject_id AND n.relation = facts.relation
            AND (n.valid_from_ms, n.id) > (facts.valid_from_ms, facts.id)
            AND (facts.ended_ms IS NULL OR n.valid_from_ms <= facts.ended_ms)
            ORDER BY n.valid_from_ms, n.id LIMIT 1)
        WHERE subject_id = old.subject_id AND relation = old.relation;
END;
-- Where values accumulate, a fact ends by a correction alone: when that one goes, it holds as long as that one did.
CREATE TRIGGER facts_delete_correction BEFORE DELETE ON facts WHEN NOT old.single BEGIN
    UPDATE facts SET valid_to_ms = old.valid_to_ms, ended_ms = old.ended_ms, superseded_by = old.superseded_by
        WHERE superseded_by = old.id;
END;
-- The passages that a fact came from: it goes with the last of them.
CREATE TABLE fact_sources (
    fact_id BIGINT NOT NULL REFERENCES facts (id) ON DELETE CASCADE,
    passage_id BIGINT NOT NULL REFERENCES passages (id) ON DELETE CASCADE,
    said_ms BIGINT NOT NULL,                       -- from when on it holds, by this passage alone
    PRIMARY KEY (fact_id, passage_id)
) WITHOUT ROWID;
CREATE INDEX fact_sources_by_passage ON fact_sources (passage_id);
-- What remains of a fact is what its other sources say; it goes where they say nothing of the time in which it held.
CREATE TRIGGER fact_sources_delete AFTER DELETE ON fact_sources BEGIN
    DELETE FROM facts WHERE id = old.fact_id AND NOT EXISTS (SELECT 1 FROM fact_sources
        WHERE fact_id = old.fact_id AND said_ms < coalesce(facts.valid_to_ms, 9223372036854775807));
    UPDATE facts SET valid_from_ms = (SELECT min(said_ms) FROM fact_sources WHERE fact_id = old.fact_id)
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
