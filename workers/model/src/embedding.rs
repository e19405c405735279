//! What an embedding model wants before a text. Pure.
//!
//! Several families were trained with a word or a sentence before each text, other ones for what is searched and for what is
//! searched for. Without it they still answer, and find less. The texts are those of the models' own cards.

use crate::choose;
use butterfly_api::model::EmbedAs;
use std::borrow::Cow;

/// What a family of models wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Prefixes {
    query: &'static str,
    passage: &'static str,
}

const NONE: Prefixes = Prefixes { query: "", passage: "" };

/// nomic-embed-text v1, v1.5 and v2.
const NOMIC: Prefixes = Prefixes { query: "search_query: ", passage: "search_document: " };

/// e5 and multilingual-e5.
const E5: Prefixes = Prefixes { query: "query: ", passage: "passage: " };

/// What was tuned to instructions: e5-instruct, e5-mistral, qwen3-embedding.
const INSTRUCT: Prefixes = Prefixes {
    query: "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ",
    passage: "",
};

/// bge in English, mxbai-embed-large, snowflake-arctic-embed 1.
const REPRESENT: Prefixes =
    Prefixes { query: "Represent this sentence for searching relevant passages: ", passage: "" };

/// bge in Chinese.
const REPRESENT_ZH: Prefixes =
    Prefixes { query: "为这个句子生成表示以用于检索相关文章：", passage: "" };

/// snowflake-arctic-embed 2.
const ARCTIC_2: Prefixes = Prefixes { query: "query: ", passage: "" };

/// embeddinggemma.
const GEMMA: Prefixes = Prefixes { query: "task: search result | query: ", passage: "title: none | text: " };

/// The texts as this model wants them for this use.
#[must_use]
pub fn prepared<'a>(model: &str, embed_as: EmbedAs, texts: &'a [String]) -> Cow<'a, [String]> {
    let prefixes = prefixes(model);
    let prefix = match embed_as {
        EmbedAs::Query => prefixes.query,
        EmbedAs::Passage => prefixes.passage,
    };
    if prefix.is_empty() {
        return Cow::Borrowed(texts);
    }
    texts.iter().map(|text| format!("{prefix}{text}")).collect()
}

fn prefixes(model: &str) -> Prefixes {
    let name = choose::family(model).to_ascii_lowercase();
    let tag = model.rsplit_once(':').map(|(_, tag)| tag.to_ascii_lowercase()).unwrap_or_default();
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let word = |wanted: &str| words.contains(&wanted);
    if name.contains("nomic-embed-text") {
        NOMIC
    } else if name.contains("qwen3-embedding") {
        INSTRUCT
    } else if word("e5") {
        if word("instruct") || word("mistral") { INSTRUCT } else { E5 }
    } else if word("bge") && word("m3") {
        // Trained without any.
        NONE
    } else if word("bge") {
        if word("zh") { REPRESENT_ZH } else { REPRESENT }
    } else if name.contains("mxbai-embed") {
        REPRESENT
    } else if name.contains("arctic-embed") {
        // Ollama calls it `snowflake-arctic-embed2`.
        let second = name.contains("embed2") || word("v2") || tag.starts_with("v2");
        if second { ARCTIC_2 } else { REPRESENT }
    } else if name.contains("embeddinggemma") || name.contains("embedding-gemma") {
        GEMMA
    } else {
        NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_gets_what_its_card_says() {
        for (model, wanted) in [
            ("nomic-embed-text", NOMIC),
            ("nomic-embed-text:v1.5", NOMIC),
            ("nomic-embed-text-v2-moe:latest", NOMIC),
            ("text-embedding-nomic-embed-text-v1.5", NOMIC),
            ("jeffh/intfloat-multilingual-e5-large:q8_0", E5),
            ("e5-base-v2", E5),
            ("hf.co/x/multilingual-e5-large-instruct-GGUF:Q8_0", INSTRUCT),
            ("e5-mistral-7b-instruct", INSTRUCT),
            ("qwen3-embedding:0.6b", INSTRUCT),
            ("bge-large", REPRESENT),
            ("hf.co/CompendiumLabs/bge-small-en-v1.5-gguf", REPRESENT),
            ("bge-large-zh-v1.5", REPRESENT_ZH),
            ("bge-m3", NONE),
            ("mxbai-embed-large:335m", REPRESENT),
            ("snowflake-arctic-embed:110m", REPRESENT),
            ("snowflake-arctic-embed2", ARCTIC_2),
            ("snowflake-arctic-embed-l-v2.0", ARCTIC_2),
            ("embeddinggemma:300m", GEMMA),
            ("all-minilm", NONE),
            ("paraphrase-multilingual", NONE),
            ("gte-base5", NONE),
        ] {
            assert_eq!(prefixes(model), wanted, "{model}");
        }
    }

    #[test]
    fn a_query_and_a_passage_are_told_apart_and_others_are_left_alone() {
        let texts = ["where?".to_owned()];
        assert_eq!(*prepared("nomic-embed-text", EmbedAs::Query, &texts), ["search_query: where?"]);
        assert_eq!(*prepared("nomic-embed-text", EmbedAs::Passage, &texts), ["search_document: where?"]);
        assert!(matches!(prepared("all-minilm", EmbedAs::Query, &texts), Cow::Borrowed(_)));
        assert!(matches!(prepared("bge-large", EmbedAs::Passage, &texts), Cow::Borrowed(_)));
    }
}
