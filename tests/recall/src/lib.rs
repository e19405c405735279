//! Measures recall: of what answers a question, how much is among the first results?
//!
//! The fixture (`fixture/`) is talk between friends, colleagues, family and an assistant, with questions and the turns that
//! answer them. It is taken into a real store and searched as the memory worker searches; only the vectors' store is
//! replaced, by an exact scan, which is what LanceDB does below 100 000 rows. The figures judge a change of the ranking.
//! It does *not* test anything by its figures: those depend on the model that embeds.

pub mod embed;
pub mod exchange;
pub mod fixture;
pub mod measure;
pub mod run;
pub mod vectors;
