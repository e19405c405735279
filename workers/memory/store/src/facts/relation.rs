//! Relations: how they are written, which of them hold one value at a time, and which words of a question ask for them.

/// What is known of a relation.
struct Known {
    name: &'static str,
    /// One value at a time: a newer one ends the older.
    single: bool,
    /// Other ways to write it.
    also: &'static [&'static str],
    /// Words of a question that ask for it.
    asked_by: &'static [&'static str],
}

/// Everything that is not in here accumulates, and is asked for by its own words.
const KNOWN: &[Known] = &[
    Known {
        name: "lives in",
        single: true,
        also: &[
            "live in",
            "lives at",
            "live at",
            "resides in",
            "moved to",
            "has moved to",
            "relocated to",
            "lives",
            "residence",
            "home city",
            "lives now in",
        ],
        asked_by: &["live", "lives", "living", "lived", "reside", "resides", "home", "move", "moved", "住"],
    },
    Known {
        name: "works at",
        single: true,
        also: &[
            "work at",
            "works for",
            "work for",
            "is employed by",
            "employed by",
            "employed at",
            "employer",
            "workplace",
        ],
        asked_by: &["work", "works", "working", "worked", "employer", "employed", "company", "job"],
    },
    Known {
        name: "works as",
        single: true,
        also: &["work as", "job", "profession", "occupation", "job title", "works as a", "works as an"],
        asked_by: &["job", "profession", "occupation", "work", "living"],
    },
    Known {
        name: "is named",
        single: true,
        also: &["name", "named", "is called", "called", "has name", "has the name", "name is"],
        asked_by: &["name", "named", "called", "who", "who's", "whose"],
    },
    Known {
        name: "birthday",
        single: true,
        also: &[
            "birth date",
            "birthdate",
            "date of birth",
            "was born on",
            "born on",
            "has birthday",
            "birthday is",
            "has birthday on",
        ],
        asked_by: &["birthday", "born", "birth", "old", "age"],
    },
    Known {
        name: "was born in",
        single: true,
        also: &["born in", "birthplace", "place of birth", "born at"],
        asked_by: &["born", "birthplace", "birth"],
    },
    Known {
        name: "comes from",
        single: true,
        also: &["is from", "from", "originates from", "home town", "hometown", "come from"],
        asked_by: &["from", "origin", "hometown"],
    },
    Known {
        name: "phone number",
        single: true,
        also: &["phone", "telephone", "telephone number", "mobile", "mobile number", "cell", "has phone number"],
        asked_by: &["phone", "telephone", "mobile", "cell", "number", "call"],
    },
    Known {
        name: "email address",
        single: true,
        also: &["email", "mail address", "has email"],
        asked_by: &["email", "e-mail", "mail"],
    },
    Known {
        name: "address",
        single: true,
        also: &["home address", "postal address", "street address"],
        asked_by: &["address", "street"],
    },
    Known {
        name: "is married to",
        single: true,
        also: &["married to", "spouse", "has spouse", "husband", "wife", "is the husband of", "is the wife of"],
        asked_by: &["married", "husband", "wife", "spouse", "partner"],
    },
    Known {
        name: "is engaged to",
        single: true,
        also: &["engaged to", "fiance", "fiancee"],
        asked_by: &["engaged", "fiance", "fiancee", "fiancé", "fiancée"],
    },
    Known { name: "age", single: true, also: &["is aged", "has age"], asked_by: &["age", "old"] },
    Known {
        name: "studies at",
        single: true,
        also: &["study at", "attends", "goes to school at", "goes to university at"],
        asked_by: &["study", "studies", "studying", "school", "university", "college"],
    },
    Known {
        name: "likes",
        single: false,
        also: &["like", "loves", "love", "enjoys", "enjoy", "is fond of"],
        asked_by: &["like", "likes", "love", "loves", "enjoy", "enjoys", "fond"],
    },
    Known {
        name: "dislikes",
        single: false,
        also: &["dislike", "hates", "hate"],
        asked_by: &["dislike", "dislikes", "hate", "hates"],
    },
    Known {
        name: "is allergic to",
        single: false,
        also: &["allergic to", "allergy", "has allergy to", "allergies"],
        asked_by: &["allergic", "allergy", "allergies"],
    },
    Known {
        name: "has",
        single: false,
        also: &["have", "owns", "own", "possesses"],
        asked_by: &["have", "has", "own", "owns"],
    },
    Known { name: "speaks", single: false, also: &["speak"], asked_by: &["speak", "speaks", "language", "languages"] },
    Known { name: "knows", single: false, also: &["know"], asked_by: &["know", "knows"] },
    Known { name: "visited", single: false, also: &["has visited", "went to"], asked_by: &["visit", "visited"] },
    Known {
        name: "takes place on",
        single: false,
        also: &["is on", "happens on"],
        asked_by: &["when", "date", "day", "appointment"],
    },
];

/// What a relation begins with that names a favourite: one at a time of each sort.
const FAVOURITE: &str = "favourite ";

/// A relation as it is kept: one way to write it, lower case, single spaces.
#[must_use]
pub fn canonical(relation: &str) -> String {
    let words = relation.to_lowercase().replace(['_', '-'], " ");
    let plain = words
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace("favorite", "favourite")
        .replace("color", "colour");
    // The sign between two words was part of the word here.
    let plain = plain.replace("e mail", "email");
    let known = KNOWN.iter().find(|known| known.name == plain || known.also.contains(&plain.as_str()));
    known.map_or(plain, |known| known.name.to_owned())
}

/// Whether a canonical relation holds one value at a time, so that a newer one ends the older.
#[must_use]
pub fn is_single(relation: &str) -> bool {
    relation.starts_with(FAVOURITE) || KNOWN.iter().any(|known| known.single && known.name == relation)
}

/// Whether two entities that are linked so are the same thing under two names.
#[must_use]
pub fn is_identity(relation: &str) -> bool {
    relation == "is named"
}

/// The canonical relations that words of a question, in lower case, ask for.
#[must_use]
pub fn asked_by(words: &[&str]) -> Vec<String> {
    let mut asked: Vec<String> = KNOWN
        .iter()
        .filter(|known| known.asked_by.iter().any(|cue| words.contains(cue)))
        .map(|known| known.name.to_owned())
        .collect();
    for pair in words.windows(2) {
        if matches!(pair[0], "favourite" | "favorite") {
            asked.push(canonical(&format!("{FAVOURITE}{}", pair[1])));
        }
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_way_to_write_a_relation_means_one() {
        let mut seen = HashSet::new();
        for known in KNOWN {
            assert_eq!(canonical(known.name), known.name);
            for way in known.also.iter().chain([&known.name]) {
                assert!(seen.insert(*way), "{way} means two relations");
                // Hyphens are written as spaces, so such a way is found under its other spelling.
                if !way.contains('-') {
                    assert_eq!(canonical(way), known.name, "{way}");
                }
            }
        }
        assert_eq!(canonical(" Lives_In "), "lives in");
        assert_eq!(canonical("e-mail"), "email address");
        assert_eq!(canonical("Plays  chess with"), "plays chess with");
        assert_eq!(canonical("favorite color"), "favourite colour");
    }

    #[test]
    fn one_has_one_home_and_many_likings() {
        assert!(is_single("lives in") && is_single("birthday") && is_single("favourite colour"));
        assert!(!is_single("likes") && !is_single("visited") && !is_single("plays chess with"));
    }

    #[test]
    fn questions_ask_for_relations() {
        assert_eq!(asked_by(&["where", "does", "live"]), ["lives in"]);
        assert!(asked_by(&["when", "is", "birthday"]).contains(&"birthday".to_owned()));
        assert_eq!(asked_by(&["what", "is", "favorite", "color"]), ["favourite colour"]);
        assert!(asked_by(&["hello"]).is_empty());
    }
}
