-- How it is found again: by words, by substrings, by meaning.

CREATE VIRTUAL TABLE passages_fts USING fts5 (
    text, tags, content = 'passages', content_rowid = 'id', tokenize = 'porter unicode61 remove_diacritics 2'
);
-- Deleted rows leave no bytes behind in the index.
INSERT INTO passages_fts (passages_fts, rank) VALUES ('secure-delete', 1);

CREATE TRIGGER passages_fts_insert AFTER INSERT ON passages WHEN new.ready BEGIN
    INSERT INTO passages_fts (rowid, text, tags) VALUES (new.id, new.text, new.tags);
END;
CREATE TRIGGER passages_fts_delete AFTER DELETE ON passages WHEN old.ready BEGIN
    INSERT INTO passages_fts (passages_fts, rowid, text, tags) VALUES ('delete', old.id, old.text, old.tags);
END;
CREATE TRIGGER passages_fts_update_old AFTER UPDATE OF text, tags, ready ON passages WHEN old.ready BEGIN
    INSERT INTO passages_fts (passages_fts, rowid, text, tags) VALUES ('delete', old.id, old.text, old.tags);
END;
CREATE TRIGGER passages_fts_update_new AFTER UPDATE OF text, tags, ready ON passages WHEN new.ready BEGIN
    INSERT INTO passages_fts (rowid, text, tags) VALUES (new.id, new.text, new.tags);
END;

-- Models that made vectors, and which of them is in use.
CREATE TABLE embedding_models (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    dimensions INTEGER NOT NULL,
    state INTEGER NOT NULL                         -- 0 being filled, 1 serving, 2 retired
);
-- Passages that have a vector, and whose.
CREATE TABLE embedded (
    passage_id BIGINT NOT NULL,
    model_id INTEGER NOT NULL REFERENCES embedding_models (id) ON DELETE CASCADE,
    PRIMARY KEY (passage_id, model_id)
) WITHOUT ROWID;
-- What the vector store has yet to learn: 0 embed this passage, 1 delete its vectors.
CREATE TABLE vector_outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    passage_id BIGINT NOT NULL,
    action INTEGER NOT NULL
);
CREATE TRIGGER vector_outbox_insert AFTER INSERT ON passages WHEN new.ready BEGIN
    INSERT INTO vector_outbox (passage_id, action) VALUES (new.id, 0);
END;
CREATE TRIGGER vector_outbox_update AFTER UPDATE OF text, speaker, ready ON passages WHEN new.ready BEGIN
    INSERT INTO vector_outbox (passage_id, action) VALUES (new.id, 0);
END;
CREATE TRIGGER vector_outbox_delete AFTER DELETE ON passages BEGIN
    INSERT INTO vector_outbox (passage_id, action) VALUES (old.id, 1);
END;
