-- How it is found again: by words, by substrings, by meaning.

-- What can be found: the index is checked against this, not against what is still being said.
CREATE VIEW passages_ready AS SELECT id, text, tags FROM passages WHERE ready;
CREATE VIRTUAL TABLE passages_fts USING fts5 (
    text, tags, content = 'passages_ready', content_rowid = 'id', tokenize = 'porter unicode61 remove_diacritics 2'
);
-- Substrings, and scripts without spaces: runs of three characters, in which any pair of characters begins one. Two spaces
-- at the end let the last pair begin one, too. Without positions (detail = none) it takes about the room of the text.
CREATE VIEW passages_padded AS SELECT id, text || '  ' AS text FROM passages WHERE ready;
CREATE VIRTUAL TABLE passages_grams USING fts5 (
    text, content = 'passages_padded', content_rowid = 'id', tokenize = 'trigram', detail = none
);
CREATE VIRTUAL TABLE passages_grams_terms USING fts5vocab (passages_grams, instance);
-- Deleted words leave no bytes behind in the index. Of runs of three characters nobody makes words again, and to delete a
-- hundred of them at once would take ten times as long: they go when the index is rewritten at the next vacuum.
INSERT INTO passages_fts (passages_fts, rank) VALUES ('secure-delete', 1);

CREATE TRIGGER passages_fts_insert AFTER INSERT ON passages WHEN new.ready BEGIN
    INSERT INTO passages_fts (rowid, text, tags) VALUES (new.id, new.text, new.tags);
    INSERT INTO passages_grams (rowid, text) VALUES (new.id, new.text || '  ');
END;
CREATE TRIGGER passages_fts_delete AFTER DELETE ON passages WHEN old.ready BEGIN
    INSERT INTO passages_fts (passages_fts, rowid, text, tags) VALUES ('delete', old.id, old.text, old.tags);
    INSERT INTO passages_grams (passages_grams, rowid, text) VALUES ('delete', old.id, old.text || '  ');
END;
-- One trigger: of two, the one that inserts might run first, and the other would then take away what was inserted.
CREATE TRIGGER passages_fts_update AFTER UPDATE OF text, tags, ready ON passages WHEN old.ready OR new.ready BEGIN
    INSERT INTO passages_fts (passages_fts, rowid, text, tags)
        SELECT 'delete', old.id, old.text, old.tags WHERE old.ready;
    INSERT INTO passages_fts (rowid, text, tags) SELECT new.id, new.text, new.tags WHERE new.ready;
    INSERT INTO passages_grams (passages_grams, rowid, text)
        SELECT 'delete', old.id, old.text || '  ' WHERE old.ready AND (NOT new.ready OR new.text <> old.text);
    INSERT INTO passages_grams (rowid, text)
        SELECT new.id, new.text || '  ' WHERE new.ready AND (NOT old.ready OR new.text <> old.text);
END;
-- Finds the same memory noted before, with few bytes for each.
CREATE INDEX memories_by_text ON passages (length(text), substr(text, -16)) WHERE kind = 1;

-- Models that made vectors. One of them serves; another may be on its way to.
CREATE TABLE embedding_models (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    dimensions INTEGER NOT NULL,
    state INTEGER NOT NULL,                        -- 0 being filled, 1 serving
    version BIGINT NOT NULL DEFAULT 0,             -- of its table in the vector store: a smaller one there has lost something
    stale BOOLEAN NOT NULL DEFAULT 0,              -- its table's files may hold what was deleted or replaced
    UNIQUE (name, dimensions)
);
CREATE UNIQUE INDEX embedding_models_serving ON embedding_models (state) WHERE state = 1;
-- Passages that have a vector, and whose.
CREATE TABLE embedded (
    passage_id BIGINT NOT NULL,
    model_id INTEGER NOT NULL REFERENCES embedding_models (id) ON DELETE CASCADE,
    PRIMARY KEY (passage_id, model_id)
) WITHOUT ROWID;
CREATE INDEX embedded_by_model ON embedded (model_id);
-- What the vector store has yet to learn: 0 embed this passage, 1 delete its vectors.
CREATE TABLE vector_outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    passage_id BIGINT NOT NULL,
    action INTEGER NOT NULL
);
CREATE INDEX vector_outbox_by_passage ON vector_outbox (passage_id, action);
CREATE TRIGGER vector_outbox_insert AFTER INSERT ON passages WHEN new.ready BEGIN
    INSERT INTO vector_outbox (passage_id, action) VALUES (new.id, 0);
END;
CREATE TRIGGER vector_outbox_update AFTER UPDATE OF text, speaker, ready ON passages WHEN new.ready BEGIN
    INSERT INTO vector_outbox (passage_id, action) VALUES (new.id, 0);
END;
CREATE TRIGGER vector_outbox_delete AFTER DELETE ON passages BEGIN
    INSERT INTO vector_outbox (passage_id, action) VALUES (old.id, 1);
END;
-- A passage is embedded with what was said before and after it: where a neighbour goes, the vector is made again without it.
CREATE TRIGGER vector_outbox_parted AFTER DELETE ON messages WHEN old.parent_id IS NOT NULL BEGIN
    INSERT INTO vector_outbox (passage_id, action)
        SELECT id, 0 FROM passages WHERE id = old.parent_id AND ready;
END;
CREATE TRIGGER vector_outbox_joined AFTER UPDATE OF parent_id ON messages BEGIN
    INSERT INTO vector_outbox (passage_id, action)
        SELECT id, 0 FROM passages WHERE id IN (new.id, new.parent_id) AND ready;
END;
CREATE TRIGGER vector_outbox_imported AFTER DELETE ON passages WHEN old.kind <> 2 AND old.external_id IS NOT NULL BEGIN
    INSERT INTO vector_outbox (passage_id, action)
        SELECT id, 0 FROM (SELECT max(id) AS id FROM passages WHERE conversation_id = old.conversation_id AND id < old.id
            AND kind = old.kind AND external_id IS NOT NULL) WHERE id IS NOT NULL;
    INSERT INTO vector_outbox (passage_id, action)
        SELECT id, 0 FROM (SELECT min(id) AS id FROM passages WHERE conversation_id = old.conversation_id AND id > old.id
            AND kind = old.kind AND external_id IS NOT NULL) WHERE id IS NOT NULL;
END;
