//! The tables, as the migrations make them; a test compares the two. FTS5 tables are used through SQL.

diesel::table! {
    conversations (id) {
        id -> BigInt,
        external_id -> Nullable<Text>,
        title -> Text,
        renamed -> Bool,
        created_ms -> BigInt,
        updated_ms -> BigInt,
        head -> Nullable<BigInt>,
        pinned -> Bool,
        draft -> Text,
        profile -> Nullable<Text>,
        trashed_ms -> Nullable<BigInt>,
        context_tokens -> BigInt,
    }
}
diesel::table! {
    passages (id) {
        id -> BigInt,
        kind -> Integer,
        conversation_id -> Nullable<BigInt>,
        external_id -> Nullable<Text>,
        speaker -> Text,
        text -> Text,
        tags -> Text,
        at_ms -> BigInt,
        source_id -> Nullable<BigInt>,
        ready -> Bool,
    }
}
diesel::table! {
    messages (id) {
        id -> BigInt,
        conversation_id -> BigInt,
        parent_id -> Nullable<BigInt>,
        turn_id -> BigInt,
        part -> Integer,
        attempt -> BigInt,
        role -> Integer,
        state -> Integer,
        thinking -> Text,
        tool_calls -> Text,
        tool_call_id -> Nullable<Text>,
        error -> Nullable<Text>,
        model -> Text,
        provenance -> Integer,
        usage -> Nullable<Text>,
        images -> Text,
    }
}
diesel::table! {
    begun (begin_key) {
        begin_key -> BigInt,
        turn_id -> BigInt,
    }
}
diesel::table! {
    embedding_models (id) {
        id -> BigInt,
        name -> Text,
        dimensions -> Integer,
        state -> Integer,
        version -> BigInt,
        stale -> Bool,
    }
}
diesel::table! {
    embedded (passage_id, model_id) {
        passage_id -> BigInt,
        model_id -> BigInt,
    }
}
diesel::table! {
    vector_outbox (id) {
        id -> BigInt,
        passage_id -> BigInt,
        action -> Integer,
    }
}
diesel::table! {
    entities (id) {
        id -> BigInt,
        name -> Text,
        key -> Text,
        kind -> Integer,
        at_ms -> BigInt,
    }
}
diesel::table! {
    facts (id) {
        id -> BigInt,
        subject_id -> BigInt,
        relation -> Text,
        object -> Text,
        object_id -> Nullable<BigInt>,
        single -> Bool,
        valid_from_ms -> BigInt,
        valid_to_ms -> Nullable<BigInt>,
        ended_ms -> Nullable<BigInt>,
        recorded_ms -> BigInt,
        superseded_by -> Nullable<BigInt>,
    }
}
diesel::table! {
    fact_sources (fact_id, passage_id) {
        fact_id -> BigInt,
        passage_id -> BigInt,
        said_ms -> BigInt,
    }
}
diesel::table! {
    mentions (entity_id, passage_id) {
        entity_id -> BigInt,
        passage_id -> BigInt,
    }
}
diesel::table! {
    extraction_outbox (passage_id) {
        passage_id -> BigInt,
        stage -> Integer,
        attempts -> Integer,
        not_before_ms -> BigInt,
    }
}
diesel::table! {
    summaries (id) {
        id -> BigInt,
        conversation_id -> BigInt,
        first_turn -> BigInt,
        last_turn -> BigInt,
        from_ms -> BigInt,
        to_ms -> BigInt,
        model -> Text,
    }
}
diesel::table! {
    summary_sources (summary_id, passage_id) {
        summary_id -> BigInt,
        passage_id -> BigInt,
    }
}
diesel::table! {
    shown (turn_id) {
        turn_id -> BigInt,
        document -> Text,
    }
}
diesel::table! {
    shown_passages (turn_id, passage_id) {
        turn_id -> BigInt,
        passage_id -> BigInt,
    }
}
diesel::table! {
    profiles (name) {
        name -> Text,
    }
}
diesel::table! {
    settings (profile, key) {
        profile -> Text,
        key -> Text,
        value -> Text,
    }
}
diesel::table! {
    notes (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::joinable!(messages -> passages (id));
diesel::allow_tables_to_appear_in_same_query!(
    conversations,
    passages,
    messages,
    begun,
    embedding_models,
    embedded,
    vector_outbox,
    entities,
    facts,
    fact_sources,
    mentions,
    extraction_outbox,
    summaries,
    summary_sources,
    shown,
    shown_passages,
    profiles,
    settings,
    notes,
);
