//! The verbs that the rules know, and what each of them says.

/// How a relation's object looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wants {
    /// A place or a company: a name, or one or two plain words.
    Place,
    /// A name with capitals.
    Name,
    /// Something that is liked or not borne: one to four words, several with `and`.
    Things,
    /// A date of birth, or where.
    Birth,
    /// A trade.
    Trade,
    /// Languages: names, several with `and`.
    Languages,
}

/// What a verb says.
pub(crate) struct Verb {
    pub(crate) words: &'static [&'static str],
    pub(crate) relation: &'static str,
    pub(crate) wants: Wants,
}

const fn verb(words: &'static [&'static str], relation: &'static str, wants: Wants) -> Verb {
    Verb { words, relation, wants }
}

/// Longer ones first where one begins with another.
pub(crate) const VERBS: &[Verb] = &[
    verb(&["lives", "in"], "lives in", Wants::Place),
    verb(&["live", "in"], "lives in", Wants::Place),
    verb(&["is", "living", "in"], "lives in", Wants::Place),
    verb(&["am", "living", "in"], "lives in", Wants::Place),
    verb(&["moved", "to"], "lives in", Wants::Place),
    verb(&["has", "moved", "to"], "lives in", Wants::Place),
    verb(&["have", "moved", "to"], "lives in", Wants::Place),
    verb(&["relocated", "to"], "lives in", Wants::Place),
    verb(&["works", "at"], "works at", Wants::Place),
    verb(&["work", "at"], "works at", Wants::Place),
    verb(&["works", "for"], "works at", Wants::Place),
    verb(&["work", "for"], "works at", Wants::Place),
    verb(&["is", "working", "at"], "works at", Wants::Place),
    verb(&["am", "working", "at"], "works at", Wants::Place),
    verb(&["is", "working", "for"], "works at", Wants::Place),
    verb(&["am", "working", "for"], "works at", Wants::Place),
    verb(&["works", "as"], "works as", Wants::Trade),
    verb(&["work", "as"], "works as", Wants::Trade),
    verb(&["is", "working", "as"], "works as", Wants::Trade),
    verb(&["am", "working", "as"], "works as", Wants::Trade),
    verb(&["was", "born", "on"], "birthday", Wants::Birth),
    verb(&["was", "born", "in"], "was born in", Wants::Birth),
    verb(&["is", "named"], "is named", Wants::Name),
    verb(&["is", "called"], "is named", Wants::Name),
    verb(&["am", "named"], "is named", Wants::Name),
    verb(&["am", "called"], "is named", Wants::Name),
    verb(&["is", "married", "to"], "is married to", Wants::Name),
    verb(&["am", "married", "to"], "is married to", Wants::Name),
    verb(&["married"], "is married to", Wants::Name),
    verb(&["is", "engaged", "to"], "is engaged to", Wants::Name),
    verb(&["am", "engaged", "to"], "is engaged to", Wants::Name),
    verb(&["is", "allergic", "to"], "is allergic to", Wants::Things),
    verb(&["am", "allergic", "to"], "is allergic to", Wants::Things),
    verb(&["is", "from"], "comes from", Wants::Name),
    verb(&["am", "from"], "comes from", Wants::Name),
    verb(&["comes", "from"], "comes from", Wants::Name),
    verb(&["come", "from"], "comes from", Wants::Name),
    verb(&["likes"], "likes", Wants::Things),
    verb(&["like"], "likes", Wants::Things),
    verb(&["loves"], "likes", Wants::Things),
    verb(&["love"], "likes", Wants::Things),
    verb(&["enjoys"], "likes", Wants::Things),
    verb(&["enjoy"], "likes", Wants::Things),
    verb(&["hates"], "dislikes", Wants::Things),
    verb(&["hate"], "dislikes", Wants::Things),
    verb(&["dislikes"], "dislikes", Wants::Things),
    verb(&["dislike"], "dislikes", Wants::Things),
    verb(&["speaks"], "speaks", Wants::Languages),
    verb(&["speak"], "speaks", Wants::Languages),
    verb(&["studies", "at"], "studies at", Wants::Name),
    verb(&["study", "at"], "studies at", Wants::Name),
];
